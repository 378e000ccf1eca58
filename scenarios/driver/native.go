package driver

import (
	"brunt/scenarios"
	"brunt/scenarios/load"
	"brunt/scenarios/template"
	"brunt/targets"
)

// nativeEngine is the engine of a load that names none. The drivers that claim such loads use brunt's own clients.
const nativeEngine = "native"

// native makes requests with brunt's own clients. It claims every load.
func native() Descriptor {
	return Descriptor{Engine: nativeEngine, Claims: func(*scenarios.Load) bool { return true }, Prepare: byClient}
}

// byClient makes the requests of a load with a client of the protocols of its steps.
func byClient(s *Setup) (Job, targets.Transport, error) {
	if s.Run.HasParts() {
		s.Target.Emit = s.Run.Emit
	}
	client, err := s.Protocols.Client(s.Target)
	if err != nil {
		return nil, nil, err
	}
	s.Run.Abort = client.Abort
	end := s.Protocols.Ender()
	var retrying *retryClients
	if policy := s.Load.Retry; policy != nil {
		retrying = newRetryClients(policy, s.Run.Now)
		s.Run.Abort = func() { retrying.Abort(); client.Abort() }
	}
	s.Run.Open = func(vu int) (u load.User, ends load.EndIteration, err error) {
		session, err := client.Open(vu)
		if err != nil {
			return nil, nil, err
		}
		if end != nil {
			ends = func(it *template.Iter) { end(session, it) }
		}
		u = session
		if retrying != nil {
			u = retrying.User(u)
		}
		if s.Wrap != nil { // outside of the retries, because all attempts are one write
			u = s.Wrap(u, vu)
		}
		return u, ends, nil
	}
	return s.Run, client, nil
}
