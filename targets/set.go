package targets

import (
	"context"
	"errors"
	"slices"
	"sync"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// A Set holds the protocols that the steps of a plan may use. The kind of a step chooses its
// protocol; the set remembers which protocol compiled each call.
//
//	step --Compile--> Call                          by the protocol of its kind
//	Client --Open--> Session --Do(Call)--> Outcome  by the protocol of the call
type Set struct {
	list    []*Descriptor
	network func(o *Options) (Network, error)

	mu   sync.RWMutex
	used map[scenarios.Call]int // index in list
}

// NewSet creates a set. Network creates the network of a client whose options have none; it
// may be nil.
func NewSet(network func(o *Options) (Network, error), list ...*Descriptor) *Set {
	return &Set{list: list, network: network, used: map[scenarios.Call]int{}}
}

// Protocols lists the protocols of the set.
func (s *Set) Protocols() []*Descriptor { return s.list }

// Kinds lists the step keys of all protocols.
func (s *Set) Kinds() []string {
	var out []string
	for _, d := range s.list {
		out = append(out, d.Kinds...)
	}
	return out
}

// Compile compiles a step by the protocol of its kind. It notes mistakes in m.
func (s *Set) Compile(step syntax.Block, in Scope, m *syntax.Mistakes) (scenarios.Call, bool) {
	i := slices.IndexFunc(s.list, func(d *Descriptor) bool { return slices.Contains(d.Kinds, step.Kind) })
	if i < 0 {
		m.Add(step.Pos, "no protocol has steps of kind %q", step.Kind)
		return nil, false
	}
	c, ok := s.list[i].Compile(step, in, m)
	if c != nil {
		s.mu.Lock()
		s.used[c] = i
		s.mu.Unlock()
	}
	return c, ok
}

// Of returns the protocol that compiled a call. For an unknown call it returns the first
// protocol.
func (s *Set) Of(c scenarios.Call) *Descriptor { return s.list[s.number(c)] }

func (s *Set) number(c scenarios.Call) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.used[c]
}

// Client creates the client of a load. If all steps use one protocol, it is that protocol's
// own client.
func (s *Set) Client(o Options) (Client, error) {
	if o.Network == nil && s.network != nil {
		n, err := s.network(&o)
		if err != nil {
			return nil, err
		}
		o.Network = n
	}
	numbers := s.inUse()
	if len(numbers) == 1 {
		return s.list[numbers[0]].Client(o)
	}
	c := &mixedClient{set: s, clients: make([]Client, len(s.list))}
	for _, i := range numbers {
		one, err := s.list[i].Client(o)
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		c.clients[i] = one
	}
	return c, nil
}

// inUse lists the protocols that compiled a call, or else the first one.
func (s *Set) inUse() []int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := []int{}
	for _, i := range s.used {
		if !slices.Contains(out, i) {
			out = append(out, i)
		}
	}
	if len(out) == 0 {
		return []int{0}
	}
	slices.Sort(out)
	return out
}

// Bind binds calls at the target through their load's client. The error joins those of all
// calls.
func (s *Set) Bind(ctx context.Context, by Client, calls ...scenarios.Call) error {
	var errs []error
	for _, c := range calls {
		i := s.number(c)
		if s.list[i].Bind == nil {
			continue
		}
		one := by
		if m, mixed := by.(*mixedClient); mixed {
			one = m.clients[i]
		}
		errs = append(errs, s.list[i].Bind(ctx, c, one))
	}
	return errors.Join(errs...)
}

// Parts names the measurements of a call besides its own.
func (s *Set) Parts(c scenarios.Call) []string {
	if d := s.Of(c); d.Parts != nil {
		return d.Parts(c)
	}
	return nil
}

// Absent reports whether an answer says that the requested item does not exist.
func (s *Set) Absent(c scenarios.Call, out *scenarios.Outcome) bool {
	d := s.Of(c)
	return d.Absent != nil && d.Absent(c, out)
}

// EndIteration closes what an iteration opened in a session of this set's client.
func (s *Set) EndIteration(session Session, it *template.Iter) {
	m, mixed := session.(*mixedSession)
	if !mixed {
		if d := s.list[s.inUse()[0]]; d.EndIteration != nil {
			d.EndIteration(session, it)
		}
		return
	}
	for i, one := range m.sessions {
		if one != nil && s.list[i].EndIteration != nil {
			s.list[i].EndIteration(one, it)
		}
	}
}

// mixedClient is the client of a load whose steps use several protocols.
type mixedClient struct {
	set     *Set
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
	i := s.client.set.number(c)
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
