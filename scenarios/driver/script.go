package driver

import (
	"brunt/scenarios"
	"brunt/targets"
)

// script runs a k6 script in a separate process with its own connections. The process is started,
// and has finished its setup, before the load is prepared.
func script() Descriptor {
	return Descriptor{
		Claims:  func(l *scenarios.Load) bool { return l.Script != nil },
		Prepare: func(s *Setup) (Job, targets.Transport, error) { return s.Script, nil, nil },
	}
}
