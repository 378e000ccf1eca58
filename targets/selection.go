package targets

import (
	"context"
	"errors"
	"fmt"

	"brunt/scenarios"
	"brunt/scenarios/template"
)

// A Selection is the part of a set that the calls of one load use. It does not change, so that
// sessions read it without a lock.
type Selection struct {
	set       *Set
	calls     []scenarios.Call
	protocols map[scenarios.Call]int // index in set.list
	numbers   []int                  // the protocols in use, ascending
}

// Client creates the client of the load. If all calls use one protocol, it is that protocol's own
// client.
func (s *Selection) Client(o Options) (Client, error) {
	list := s.set.list
	if o.Network == nil && s.set.network != nil {
		n, err := s.set.network(&o)
		if err != nil {
			return nil, err
		}
		o.Network = n
	}
	if len(s.numbers) == 1 {
		return list[s.numbers[0]].Client(o)
	}
	c := &mixedClient{of: s, clients: make([]Client, len(list))}
	for _, i := range s.numbers {
		one, err := list[i].Client(o)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", list[i].Name, err), c.Close())
		}
		c.clients[i] = one
	}
	return c, nil
}

// Binds reports whether a protocol of the selection binds its calls.
func (s *Selection) Binds() bool {
	for _, i := range s.numbers {
		if s.set.list[i].Bind != nil {
			return true
		}
	}
	return false
}

// Bind binds the calls at the target through a client of this selection. The error joins those of
// all calls, each with the name of its step.
func (s *Selection) Bind(ctx context.Context, by Client) error {
	if !s.Binds() {
		return nil
	}
	var errs []error
	for _, c := range s.calls {
		i := s.protocols[c]
		bind := s.set.list[i].Bind
		if bind == nil {
			continue
		}
		one := by
		if m, mixed := by.(*mixedClient); mixed {
			one = m.clients[i]
		}
		if err := bind(ctx, c, one); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.Name(), err))
		}
	}
	return errors.Join(errs...)
}

// BindOnce binds the calls at the target through a client of its own.
func (s *Selection) BindOnce(ctx context.Context, o Options) error {
	if !s.Binds() {
		return nil
	}
	client, err := s.Client(o)
	if err != nil {
		return err
	}
	return errors.Join(s.Bind(ctx, client), client.Close())
}

// Ender returns the function that closes what an iteration opened in a session of this selection's
// client. It is nil if no protocol of the selection has anything to close.
func (s *Selection) Ender() func(Session, *template.Iter) {
	if len(s.numbers) == 1 {
		return s.set.list[s.numbers[0]].EndIteration
	}
	for _, i := range s.numbers {
		if s.set.list[i].EndIteration != nil {
			return endMixed
		}
	}
	return nil
}

func endMixed(session Session, it *template.Iter) {
	m := session.(*mixedSession)
	for i, one := range m.sessions {
		if end := m.client.of.set.list[i].EndIteration; one != nil && end != nil {
			end(one, it)
		}
	}
}

// mixedClient is the client of a load whose steps use several protocols.
type mixedClient struct {
	of      *Selection
	clients []Client // by index of the protocol; nil: not used
}

// Open implements [Client]. The session of a protocol is opened at its first use.
func (c *mixedClient) Open(vu int) (Session, error) {
	return &mixedSession{client: c, vu: vu, sessions: make([]Session, len(c.clients))}, nil
}

// Abort implements [Transport].
func (c *mixedClient) Abort() {
	for _, one := range c.clients {
		if one != nil {
			one.Abort()
		}
	}
}

// Opened implements [Transport].
func (c *mixedClient) Opened() (n int64) {
	for _, one := range c.clients {
		if one != nil {
			n += one.Opened()
		}
	}
	return n
}

// Close implements [Transport].
func (c *mixedClient) Close() error {
	var errs []error
	for _, one := range c.clients {
		if one != nil {
			errs = append(errs, one.Close())
		}
	}
	return errors.Join(errs...)
}

// mixedSession is a virtual user of several protocols.
type mixedSession struct {
	client   *mixedClient
	vu       int
	sessions []Session // by index of the protocol; nil: not opened yet
}

// Do implements [Session].
func (s *mixedSession) Do(it *template.Iter, c scenarios.Call, out *scenarios.Outcome) {
	i, known := s.client.of.protocols[c]
	if !known {
		out.Slot = out.Ready
		Fail(out, fmt.Errorf("%s is no step of this load", c.Name()), out.Ready, it.Deadline, false)
		return
	}
	if s.sessions[i] == nil {
		one, err := s.client.clients[i].Open(s.vu)
		if err != nil {
			out.Slot = out.Ready
			Fail(out, err, out.Ready, it.Deadline, false)
			return
		}
		s.sessions[i] = one
	}
	s.sessions[i].Do(it, c, out)
}

// Close implements [Session].
func (s *mixedSession) Close() error {
	var errs []error
	for _, one := range s.sessions {
		if one != nil {
			errs = append(errs, one.Close())
		}
	}
	return errors.Join(errs...)
}
