package targets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/template"
)

// A Selection is the part of a set that the calls of one load use. It never changes, so sessions read it without a
// lock.
type Selection struct {
	network func(o *Options) (Network, error) // creates the network of a client whose options have none
	peers   []peer
	calls   []scenarios.Call
	of      map[scenarios.Call]int // index in peers
	numbers []int                  // indexes of the peers in use, ascending
}

// Client creates the client of the load. If all calls use one protocol at one endpoint, it is the client of that
// protocol itself.
func (s *Selection) Client(o Options) (Client, error) {
	if o.Network == nil && s.network != nil {
		n, err := s.network(&o)
		if err != nil {
			return nil, err
		}
		o.Network = n
	}
	if len(s.numbers) == 1 {
		p := s.peers[s.numbers[0]]
		one, err := p.Client(p.options(o))
		if err != nil {
			return nil, err
		}
		return &guardedClient{one, o}, nil
	}
	c := &mixedClient{of: s, clients: make([]Client, len(s.peers))}
	for _, i := range s.numbers {
		p := s.peers[i]
		one, err := p.Client(p.options(o))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", p.Name, err), c.Close())
		}
		c.clients[i] = one
	}
	return &guardedClient{c, o}, nil
}

// Binds reports whether some protocol of the selection needs to bind its calls.
func (s *Selection) Binds() bool {
	for _, i := range s.numbers {
		if s.peers[i].Bind != nil {
			return true
		}
	}
	return false
}

// Bind binds the calls at the target through a client of this selection. The error joins the errors of all calls,
// each with the name of its step.
func (s *Selection) Bind(ctx context.Context, by Client) error {
	if !s.Binds() {
		return nil
	}
	if g, guarded := by.(*guardedClient); guarded {
		by = g.Client
	}
	var errs []error
	for _, c := range s.calls {
		i := s.of[c]
		bind := s.peers[i].Bind
		if bind == nil {
			continue
		}
		one := by
		if m, mixed := by.(*mixedClient); mixed {
			one = m.clients[i]
		}
		if err := bindInTime(ctx, bind, c, one); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.Name(), err))
		}
	}
	return errors.Join(errs...)
}

// bindTime is how long a target may take to prepare one call.
const bindTime = 10 * time.Second

// bindInTime binds a call. If the target does not answer, it returns an error after [bindTime].
func bindInTime(
	ctx context.Context, bind func(context.Context, scenarios.Call, Client) error, c scenarios.Call, by Client,
) error {
	within, cancel := context.WithTimeout(ctx, bindTime)
	defer cancel()
	err := func() (err error) {
		defer scenarios.Recover(&err)
		return bind(within, c, by)
	}()
	switch {
	case err == nil || ctx.Err() != nil:
		return err
	case within.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("the target accepts connections but did not answer within %v: does it speak the protocol of "+
			"its URL?", bindTime)
	case err == io.EOF: //nolint:errorlint // it says no more
		return errors.New("the target accepts connections, and ends them without an answer")
	}
	return fmt.Errorf("%w%s", err, tlsRemedy(err))
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

// Ender returns the function that closes everything that an iteration opened in a session of this selection's client.
// It is nil if no protocol of the selection has anything to close.
func (s *Selection) Ender() func(Session, *template.Iter) {
	if len(s.numbers) == 1 {
		return guardedEnd(s.peers[s.numbers[0]].EndIteration)
	}
	for _, i := range s.numbers {
		if s.peers[i].EndIteration != nil {
			return guardedEnd(endMixed)
		}
	}
	return nil
}

// guardedClient is the client of a load. It turns a panic of a session, which data from a server can cause, into an
// error of the call.
type guardedClient struct {
	Client
	o Options
}

func (c *guardedClient) Open(vu int) (Session, error) {
	s, err := c.Client.Open(vu)
	if err != nil {
		return nil, err
	}
	return &guardedSession{s, &c.o}, nil
}

// closesWithin is how long the end of a client takes at most. A protocol needs a second or two: it closes each
// connection, whatever the other side does.
const closesWithin = 10 * time.Second

// Close implements [Transport]. It gives up a client that does not end, so that nothing keeps a run from its verdict.
func (c *guardedClient) Close() error {
	ended := make(chan error, 1)
	go func() { ended <- c.Client.Close() }()
	select {
	case err := <-ended:
		return err
	case <-time.After(closesWithin):
		return fmt.Errorf("connections are still open %s after brunt closed them", quantity.FormatDuration(closesWithin))
	}
}

// guardedSession is a session of a [guardedClient].
type guardedSession struct {
	Session
	o *Options
}

func (s *guardedSession) Do(it *template.Iter, c scenarios.Call, out *scenarios.Outcome) {
	if err := s.try(it, c, out); err != nil {
		s.failed(it, c, out, err)
	}
}

// failed records a panic. It is a function of its own because its sample would need 300 bytes of every user's stack.
func (s *guardedSession) failed(it *template.Iter, c scenarios.Call, out *scenarios.Outcome, err error) {
	out.Slot = max(out.Slot, out.Ready)
	Fail(out, err, max(s.o.Now(), out.Slot), it.Deadline, false)
	if k := s.o.Sampler; k != nil && k.Want(out) {
		k.Keep(out, result.Sample{At: out.Intended.Seconds(), Step: c.Name(), Message: Explain(err)})
	}
}

// try makes a call. It returns a panic as an error.
func (s *guardedSession) try(it *template.Iter, c scenarios.Call, out *scenarios.Outcome) (err error) {
	defer scenarios.Recover(&err)
	s.Session.Do(it, c, out)
	return nil
}

// guardedEnd adapts an Ender to guarded sessions. It returns nil for nil.
func guardedEnd(end func(Session, *template.Iter)) func(Session, *template.Iter) {
	if end == nil {
		return nil
	}
	return func(s Session, it *template.Iter) { end(s.(*guardedSession).Session, it) }
}

func endMixed(session Session, it *template.Iter) {
	m := session.(*mixedSession)
	for i, one := range m.sessions {
		if end := m.client.of.peers[i].EndIteration; one != nil && end != nil {
			end(one, it)
		}
	}
}

// mixedClient is the client of a load whose steps use several protocols or endpoints.
type mixedClient struct {
	of      *Selection
	clients []Client // by index of the peer; nil: not used
}

// Open implements [Client]. The session of a peer is opened at its first use.
func (c *mixedClient) Open(vu int) (Session, error) {
	return &mixedSession{client: c, vu: vu, sessions: make([]Session, len(c.clients))}, nil
}

func (c *mixedClient) Abort() {
	for _, one := range c.clients {
		if one != nil {
			one.Abort()
		}
	}
}

func (c *mixedClient) Opened() (n int64) {
	for _, one := range c.clients {
		if one != nil {
			n += one.Opened()
		}
	}
	return n
}

func (c *mixedClient) Spoken() (all Spoken) {
	for _, one := range c.clients {
		if one != nil {
			s := one.Spoken()
			all.Versions = append(all.Versions, s.Versions...)
			all.Waits, all.Streams = all.Waits+s.Waits, max(all.Streams, s.Streams)
			all.Dropped, all.Untimed = all.Dropped+s.Dropped, all.Untimed+s.Untimed
			all.Elsewhere += s.Elsewhere
			all.Refused, all.FirstRefused = all.Refused+s.Refused, cmp.Or(all.FirstRefused, s.FirstRefused)
		}
	}
	slices.Sort(all.Versions)
	all.Versions = slices.Compact(all.Versions)
	return all
}

func (c *mixedClient) Close() error {
	var errs []error
	for _, one := range c.clients {
		if one != nil {
			errs = append(errs, one.Close())
		}
	}
	return errors.Join(errs...)
}

// mixedSession is a virtual user of several protocols or endpoints.
type mixedSession struct {
	client   *mixedClient
	vu       int
	sessions []Session // by index of the peer; nil: not opened yet
}

func (s *mixedSession) Do(it *template.Iter, c scenarios.Call, out *scenarios.Outcome) {
	i, known := s.client.of.of[c]
	if !known {
		out.Slot = out.Ready
		Fail(out, fmt.Errorf("%s is not a step of this load", c.Name()), out.Ready, it.Deadline, false)
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

func (s *mixedSession) Close() error {
	var errs []error
	for _, one := range s.sessions {
		if one != nil {
			errs = append(errs, one.Close())
		}
	}
	return errors.Join(errs...)
}
