package driver

import "brunt/scenarios"

// replay repeats the requests of a log with brunt's own clients. The log belongs to the executor;
// the load's schedule contains it.
func replay() Descriptor {
	return Descriptor{
		Claims:  func(l *scenarios.Load) bool { return l.Executor == scenarios.Replay },
		Unkept:  "a log",
		At:      "executor",
		Prepare: byClient,
	}
}
