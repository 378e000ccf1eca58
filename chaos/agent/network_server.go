package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"

	"brunt/chaos/netns"
)

// networkServer is the part of an agent that serves operations on its network. It holds faults and
// connections.
type networkServer struct {
	open func() (*netns.Namespace, error)

	mu    sync.Mutex
	last  int
	held  map[int]io.Closer
	ended bool
}

// end removes everything in reverse order.
func (s *networkServer) end() error {
	s.mu.Lock()
	s.ended = true
	last := s.last
	s.mu.Unlock()
	var errs []error
	for i := last; i > 0; i-- {
		errs = append(errs, s.close(i))
	}
	return errors.Join(errs...)
}

// keep registers c to be closed by end. After end has begun it closes c at once.
func (s *networkServer) keep(c io.Closer) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return 0, errors.Join(errors.New("the agent ends"), c.Close())
	}
	if s.held == nil {
		s.held = map[int]io.Closer{}
	}
	s.last++
	s.held[s.last] = c
	return s.last, nil
}

func (s *networkServer) close(i int) error {
	s.mu.Lock()
	c := s.held[i]
	delete(s.held, i)
	s.mu.Unlock()
	if c == nil {
		return nil
	}
	return c.Close()
}

func heldAs[T any](s *networkServer, i int) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.held[i].(T)
	if !ok {
		return t, fmt.Errorf("the agent holds nothing with number %d", i)
	}
	return t, nil
}

// answer executes an operation and returns its result.
func (s *networkServer) answer(ctx context.Context, op string, args json.RawMessage) (any, error) {
	var r networkRequest
	if err := json.Unmarshal(args, &r); err != nil {
		return nil, err
	}
	var a networkReply
	if err := s.do(ctx, op, r, &a); err != nil {
		a.Error, a.Cannot, a.Other = err.Error(), errors.Is(err, netns.ErrCannot), errors.Is(err, netns.ErrOther)
	}
	return a, nil
}

func (s *networkServer) do(ctx context.Context, op string, r networkRequest, a *networkReply) (err error) {
	n, err := s.open()
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
		var held netns.Held
		if held, err = n.Set(*r.Spec); err == nil {
			a.Via = held.Via()
			a.N, err = s.keep(held)
		}
	case op == "affected":
		var held netns.Held
		if held, err = heldAs[netns.Held](s, r.N); err == nil {
			var affected netns.Affected
			affected, err = held.Affected()
			a.Affected = &affected
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
		err = fmt.Errorf("the agent has no operation %q: it is another version of brunt than its caller", op)
	}
	return err
}
