package driver

import "brunt/scenarios"

// replay makes the requests of a log again, by brunt's own clients. The log is that of the
// executor, which the load's schedule holds.
func replay() Descriptor {
	return Descriptor{
		Claims:  func(l *scenarios.Load) bool { return l.Executor == scenarios.Replay },
		Unkept:  "a log",
		At:      "executor",
		Prepare: byClient,
	}
}
