package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"time"

	"brunt/chaos/netns"
	"brunt/chaos/rpc"
)

// A Server acts in one namespace for other processes. It holds the Specs that they set, and connections.
type Server struct {
	// Open opens the namespace.
	Open func() (*netns.Namespace, error)
	// Lease registers an effect that was set with a lease: off ends the effect, and may be called twice. Nil means that
	// effects last as long as this process, and leases do not end them.
	Lease func(l netns.Lease, off func() error) (Leased, error)

	mu     sync.Mutex
	last   number
	held   map[number]io.Closer
	leased map[number]Leased // leases of held objects
	keys   map[number]string // keys of the leases of held Specs
	ended  bool

	setting map[string]chan struct{} // Specs that are being set, by the keys of their leases; closed once they are
	revoked map[string]bool          // keys whose Specs are refused

	draining sync.WaitGroup // closed objects that still serve data in flight
}

// Leased is the state of an effect with a lease.
type Leased struct {
	Since func() time.Duration // how long ago the lease ended it; zero: it did not
	Over  func()               // drops it, after its caller closed it
}

// End removes everything in reverse order. Nothing can be set after it.
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
func (s *Server) keep(c io.Closer) (number, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return 0, errors.Join(errors.New("the process ends"), c.Close())
	}
	if s.held == nil {
		s.held = map[number]io.Closer{}
	}
	s.last++
	s.held[s.last] = c
	return s.last, nil
}

// close closes what the process holds under a number. An effect that could not be removed keeps its number, so that its
// removal is tried again.
func (s *Server) close(i number) error {
	s.mu.Lock()
	c := s.held[i]
	l, leased := s.leased[i]
	key, keyed := s.keys[i]
	delete(s.held, i)
	delete(s.leased, i)
	delete(s.keys, i)
	s.mu.Unlock()
	if c == nil {
		return nil
	}
	err := c.Close()
	if d, ok := c.(interface{ Wait() }); ok {
		s.draining.Go(d.Wait)
	}
	if leased && err == nil { // the lease ends what is left
		l.Over()
	}
	if _, effect := c.(netns.Held); effect && err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.held[i] = c
		if leased {
			s.leased[i] = l
		}
		if keyed {
			s.keys[i] = key
		}
	}
	return err
}

// errRevoked refuses a Spec that its caller has taken back before it was set.
var errRevoked = errors.New("its caller has taken it back already")

// begin registers that a Spec with a key is being set. end closes it again if the key was revoked meanwhile.
func (s *Server) begin(key string) (end func(number) error, err error) {
	if key == "" {
		return func(number) error { return nil }, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.revoked[key] {
		return nil, errRevoked
	}
	if s.setting == nil {
		s.setting, s.keys = map[string]chan struct{}{}, map[number]string{}
	}
	done := make(chan struct{})
	s.setting[key] = done
	return func(n number) error {
		defer close(done)
		s.mu.Lock()
		delete(s.setting, key)
		revoked := s.revoked[key]
		if _, held := s.held[n]; held {
			s.keys[n] = key
		}
		s.mu.Unlock()
		if revoked {
			return errors.Join(errRevoked, s.close(n))
		}
		return nil
	}, nil
}

// revoke removes the Spec with a key, and refuses it from then on. It waits for one that is being set.
func (s *Server) revoke(ctx context.Context, key string) error {
	s.mu.Lock()
	if s.revoked == nil {
		s.revoked = map[string]bool{}
	}
	s.revoked[key] = true
	setting := s.setting[key]
	s.mu.Unlock()
	if setting != nil {
		select {
		case <-setting:
		case <-ctx.Done():
			return errors.New("it is being set still")
		}
	}
	var of []number
	s.mu.Lock()
	for n, k := range s.keys {
		if k == key {
			of = append(of, n)
		}
	}
	s.mu.Unlock()
	var errs []error
	for _, n := range of {
		errs = append(errs, s.close(n))
	}
	return errors.Join(errs...)
}

func heldAs[T any](s *Server, i number) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ok := s.held[i].(T)
	if !ok {
		return t, fmt.Errorf("the process holds nothing with number %d", i)
	}
	return t, nil
}

// Operations returns the operations on the namespace.
func (s *Server) Operations() rpc.Operations {
	return rpc.Join(
		does(s, opPrepare, func(_ context.Context, n *netns.Namespace, spec netns.Spec) (p prepared, err error) {
			p.Spec, p.Undo, err = n.Prepare(spec)
			return p, err
		}),
		does(s, opUndo, func(_ context.Context, n *netns.Namespace, u netns.Undo) (rpc.None, error) {
			return rpc.None{}, n.Undo(u)
		}),
		does(s, opSet, func(_ context.Context, n *netns.Namespace, spec netns.Spec) (held, error) {
			end, err := s.begin(spec.Lease.Key)
			if err != nil {
				return held{}, err
			}
			h, err := s.set(n, spec)
			if rerr := end(h.N); err == nil {
				err = rerr
			}
			return h, err
		}),
		does(s, opRevoke, func(ctx context.Context, _ *netns.Namespace, key string) (rpc.None, error) {
			return rpc.None{}, s.revoke(ctx, key)
		}),
		does(s, opAffected, func(_ context.Context, _ *netns.Namespace, at number) (netns.Affected, error) {
			held, err := heldAs[netns.Held](s, at)
			if err != nil {
				return netns.Affected{}, err
			}
			return held.Affected()
		}),
		does(s, opLifted, func(_ context.Context, _ *netns.Namespace, at number) (time.Duration, error) {
			s.mu.Lock()
			l, leased := s.leased[at]
			s.mu.Unlock()
			if leased && l.Since() > 0 {
				return l.Since(), nil
			}
			held, err := heldAs[netns.Held](s, at)
			if err != nil { // it was closed meanwhile
				return 0, nil
			}
			return 0, removed(held)
		}),
		does(s, opProbe, func(ctx context.Context, n *netns.Namespace, p netns.Probe) (netns.ProbeResult, error) {
			return n.Probe(ctx, p)
		}),
		does(s, opLine, func(ctx context.Context, n *netns.Namespace, to netip.AddrPort) (number, error) {
			l, err := n.Line(ctx, to)
			if err != nil {
				return 0, err
			}
			return s.keep(l)
		}),
		does(s, opOutcome, func(ctx context.Context, _ *netns.Namespace, at number) (o netns.Outcome, err error) {
			l, err := heldAs[netns.Line](s, at)
			if err != nil {
				return o, err
			}
			return l.Outcome(ctx)
		}),
		does(s, opGateway, func(_ context.Context, n *netns.Namespace, _ rpc.None) (netip.Addr, error) {
			return n.Gateway()
		}),
		does(s, opClose, func(_ context.Context, _ *netns.Namespace, at number) (rpc.None, error) {
			return rpc.None{}, s.close(at)
		}),
	)
}

// does returns an operation in the namespace of a server.
func does[A, R any](
	s *Server, op rpc.Op[A, answer[R]], do func(ctx context.Context, n *netns.Namespace, args A) (R, error),
) rpc.Operations {
	return op.By(func(ctx context.Context, args A) (a answer[R], _ error) {
		n, err := s.Open()
		if err == nil {
			a.Result, err = do(ctx, n, args)
		}
		if err != nil {
			a.Error, a.Cannot, a.Other = err.Error(), errors.Is(err, netns.ErrCannot), errors.Is(err, netns.ErrOther)
			gone, _ := errors.AsType[netns.RemovedError](err)
			a.Removed = gone.What
		}
		return a, nil
	})
}

// set applies a Spec, with its lease.
func (s *Server) set(n *netns.Namespace, spec netns.Spec) (out held, err error) {
	set, err := n.Set(spec)
	if err != nil {
		return held{}, err
	}
	out.Via = set.Via()
	if s.Lease == nil || spec.Lease == (netns.Lease{}) {
		out.N, err = s.keep(set)
		return out, err
	}
	l, err := s.Lease(spec.Lease, set.Close)
	if err != nil {
		return held{}, err
	}
	if out.N, err = s.keep(set); err != nil {
		l.Over()
		return out, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leased == nil {
		s.leased = map[number]Leased{}
	}
	s.leased[out.N] = l
	return out, nil
}
