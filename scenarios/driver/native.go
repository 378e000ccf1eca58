package driver

import (
	"brunt/scenarios"
	"brunt/scenarios/load"
	"brunt/targets"
)

// native makes requests with brunt's own clients. It claims every load.
func native() Descriptor {
	return Descriptor{Engine: scenarios.NativeEngine, Claims: func(*scenarios.Load) bool { return true }, Prepare: byClient}
}

// byClient makes the requests of a load with a client of the scenario's protocol.
func byClient(s *Setup) (Job, targets.Transport, error) {
	client, err := s.Client(s.Target)
	if err != nil {
		return nil, nil, err
	}
	s.Run.Abort = client.Abort
	s.Run.Open = func(vu int) (load.User, error) {
		u, err := client.Open(vu)
		if err != nil || s.Wrap == nil {
			return u, err
		}
		return s.Wrap(u, vu), nil
	}
	return s.Run, client, nil
}
