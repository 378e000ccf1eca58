package child

import (
	"context"
	"sync"
)

// A Shared is a process that is started when something first needs it. The zero value runs its proxies in this process.
type Shared struct {
	Command []string        // brunt's own command line for the process; empty is none
	Lost    func(why error) // called if the process ends before Close; may be nil

	mu sync.Mutex
	p  *Process
}

// Process returns the process, and starts it the first time.
func (s *Shared) Process(ctx context.Context) (*Process, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.p != nil {
		return s.p, nil
	}
	p, err := Start(ctx, s.Command)
	if err != nil {
		return nil, err
	}
	if s.p = p; s.Lost != nil {
		p.Lost(s.Lost)
	}
	return p, nil
}

// Close ends the process, if it was started, and thereby its proxies and faults.
func (s *Shared) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.p == nil {
		return nil
	}
	return s.p.Close()
}
