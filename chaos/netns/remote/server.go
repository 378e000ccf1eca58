package remote

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"time"

	"brunt/chaos/netns"
)

// A Server acts in one namespace for others. It holds what they set, and connections.
type Server struct {
	// Open opens the namespace.
	Open func() (*netns.Namespace, error)
	// Lease takes what is set with a lease: off ends it, and may be called twice. Nil: what is set lasts as long as this
	// process, and no lease ends it.
	Lease func(l netns.Lease, off func() error) (Leased, error)

	mu     sync.Mutex
	last   int
	held   map[int]io.Closer
	leased map[int]Leased // of what is held
	ended  bool

	draining sync.WaitGroup // what was closed, and still serves what is in flight
}

// Leased is what a lease may end.
type Leased struct {
	Since func() time.Duration // how long ago the lease has ended it; zero until then
	Over  func()               // forgets it: it was closed by who set it
}

// End removes everything in reverse order. Nothing comes after it.
func (s *Server) End() error {
	s.mu.Lock()
	s.ended = true
	last := s.last
	s.mu.Unlock()
	var errs []error
	for i := last; i > 0; i-- {
		errs = append(errs, s.close(i))
	}
	s.draining.Wait()
	return errors.Join(errs...)
}

// keep registers c to be closed by End. After End has begun it closes c at once.
func (s *Server) keep(c io.Closer) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return 0, errors.Join(errors.New("the process ends"), c.Close())
	}
	if s.held == nil {
		s.held = map[int]io.Closer{}
	}
	s.last++
	s.held[s.last] = c
	return s.last, nil
}

func (s *Server) close(i int) error {
	s.mu.Lock()
	c := s.held[i]
	l, leased := s.leased[i]
	delete(s.held, i)
	delete(s.leased, i)
	s.mu.Unlock()
	if c == nil {
		return nil
	}
	err := c.Close()
	if d, ok := c.(interface{ Wait() }); ok {
		s.draining.Go(d.Wait)
	}
	if leased && err == nil { // what is left ends with its lease
		l.Over()
	}
	return err
}

func heldAs[T any](s *Server, i int) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.held[i].(T)
	if !ok {
		return t, fmt.Errorf("the process holds nothing with number %d", i)
	}
	return t, nil
}

// Answer executes an operation and returns its result.
func (s *Server) Answer(ctx context.Context, op string, args json.RawMessage) (any, error) {
	var r request
	if err := json.Unmarshal(args, &r); err != nil {
		return nil, err
	}
	var a reply
	if err := s.do(ctx, op, r, &a); err != nil {
		a.Error, a.Cannot, a.Other = err.Error(), errors.Is(err, netns.ErrCannot), errors.Is(err, netns.ErrOther)
	}
	return a, nil
}

func (s *Server) do(ctx context.Context, op string, r request, a *reply) (err error) {
	n, err := s.Open()
	if err != nil {
		return err
	}
	switch {
	case op == "prepare" && r.Spec != nil:
		var spec netns.Spec
		spec, a.Undo, err = n.Prepare(*r.Spec)
		a.Spec = &spec
	case op == "undo" && r.Undo != nil:
		err = n.Undo(*r.Undo)
	case op == "set" && r.Spec != nil:
		a.Via, a.N, err = s.set(n, *r.Spec)
	case op == "affected":
		var held netns.Held
		if held, err = heldAs[netns.Held](s, r.N); err == nil {
			var affected netns.Affected
			affected, err = held.Affected()
			a.Affected = &affected
		}
	case op == "lifted":
		s.mu.Lock()
		l, leased := s.leased[r.N]
		s.mu.Unlock()
		if leased {
			a.Lifted = l.Since()
		}
	case op == "probe" && r.Probe != nil:
		var seen netns.ProbeResult
		seen, err = n.Probe(ctx, *r.Probe)
		a.Seen = &seen
	case op == "line" && r.To != nil:
		var l netns.Line
		if l, err = n.Line(ctx, *r.To); err == nil {
			a.N, err = s.keep(l)
		}
	case op == "outcome":
		var l netns.Line
		if l, err = heldAs[netns.Line](s, r.N); err == nil {
			a.Outcome, err = l.Outcome(ctx)
		}
	case op == "gateway":
		var g netip.Addr
		g, err = n.Gateway()
		a.Addr = &g
	case op == "close":
		err = s.close(r.N)
	default:
		err = fmt.Errorf("the process has no operation %q: it is another version of brunt than its caller", op)
	}
	return err
}

// set puts a Spec in force, with its lease.
func (s *Server) set(n *netns.Namespace, spec netns.Spec) (via string, number int, err error) {
	held, err := n.Set(spec)
	if err != nil {
		return "", 0, err
	}
	if s.Lease == nil || spec.Lease == (netns.Lease{}) {
		number, err = s.keep(held)
		return held.Via(), number, err
	}
	l, err := s.Lease(spec.Lease, held.Close)
	if err != nil {
		return "", 0, err
	}
	if number, err = s.keep(held); err != nil {
		l.Over()
		return held.Via(), number, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leased == nil {
		s.leased = map[int]Leased{}
	}
	s.leased[number] = l
	return held.Via(), number, nil
}
