package remote

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"brunt/chaos/netns"
)

// A Namespace is a network namespace in which another process acts.
type Namespace struct {
	ask   Ask
	close func() error
}

// An Ask puts a question to the process: an operation with its arguments, for [Server.Answer]. It decodes the answer
// into result. Where the process has ended, the error is [brunt/chaos/rpc.ErrEnded].
type Ask func(ctx context.Context, op string, args, result any) error

// New returns a namespace of another process. Close calls end.
func New(ask Ask, end func() error) *Namespace { return &Namespace{ask: ask, close: end} }

// request holds the arguments of an operation on the network.
type request struct {
	N     int             `json:"n,omitempty"`
	Spec  *netns.Spec     `json:"spec,omitempty"`
	Undo  *netns.Undo     `json:"undo,omitempty"`
	Probe *netns.Probe    `json:"look,omitempty"`
	To    *netip.AddrPort `json:"to,omitempty"`
}

// reply holds the result of an operation on the network. It contains the error, so that the caller can
// identify it.
type reply struct {
	Error    string             `json:"error,omitempty"`
	Cannot   bool               `json:"cannot,omitempty"` // the error is netns.ErrCannot
	Other    bool               `json:"other,omitempty"`  // the error is netns.ErrOther
	N        int                `json:"n,omitempty"`      // the number of a new held object
	Via      string             `json:"via,omitempty"`
	Spec     *netns.Spec        `json:"spec,omitempty"`
	Undo     *netns.Undo        `json:"undo,omitempty"`
	Affected *netns.Affected    `json:"affected,omitempty"`
	Seen     *netns.ProbeResult `json:"seen,omitempty"`
	Outcome  netns.Outcome      `json:"outcome,omitempty"`
	Addr     *netip.Addr        `json:"addr,omitempty"`
	// how long ago the lease of a held object ended it; zero: it did not
	Lifted time.Duration `json:"lifted,omitempty"`
}

// err returns the error of the remote operation.
func (a reply) err() error {
	switch {
	case a.Error == "":
		return nil
	case a.Cannot:
		return &remoteError{a.Error, netns.ErrCannot}
	case a.Other:
		return &remoteError{a.Error, netns.ErrOther}
	}
	return errors.New(a.Error)
}

// remoteError is an error that the process reported.
type remoteError struct {
	text string
	is   error
}

func (e *remoteError) Error() string { return e.text }
func (e *remoteError) Unwrap() error { return e.is }

// call asks for an operation.
func (n *Namespace) call(ctx context.Context, op string, r request) (reply, error) {
	var a reply
	if err := n.ask(ctx, op, r, &a); err != nil {
		return reply{}, err
	}
	return a, a.err()
}

// asks is call without a time limit.
func (n *Namespace) asks(op string, r request) (reply, error) {
	return n.call(context.Background(), op, r)
}

// Prepare is [netns.Namespace.Prepare], executed by the process.
func (n *Namespace) Prepare(s netns.Spec) (netns.Spec, *netns.Undo, error) {
	a, err := n.asks("prepare", request{Spec: &s})
	if err != nil {
		return s, nil, err
	}
	if a.Spec == nil {
		return s, nil, errors.New("the process did not say which mechanism it would use")
	}
	return *a.Spec, a.Undo, nil
}

// Undo is [netns.Namespace.Undo], executed by the process.
func (n *Namespace) Undo(u netns.Undo) error {
	_, err := n.asks("undo", request{Undo: &u})
	return err
}

// Set is [netns.Namespace.Set], executed by the process. Its effect ends with the process.
func (n *Namespace) Set(s netns.Spec) (netns.Held, error) {
	a, err := n.asks("set", request{Spec: &s})
	if err != nil {
		return nil, err
	}
	return &object{n, a.N, a.Via}, nil
}

// Probe is [netns.Namespace.Probe], executed by the process.
func (n *Namespace) Probe(ctx context.Context, l netns.Probe) (netns.ProbeResult, error) {
	a, err := n.call(ctx, "probe", request{Probe: &l})
	if a.Seen == nil {
		return netns.ProbeResult{}, err
	}
	return *a.Seen, err
}

// Line is [netns.Namespace.Line], executed by the process.
func (n *Namespace) Line(ctx context.Context, to netip.AddrPort) (netns.Line, error) {
	a, err := n.call(ctx, "line", request{To: &to})
	if err != nil {
		return nil, err
	}
	return &object{n, a.N, ""}, nil
}

// Gateway is [netns.Namespace.Gateway], executed by the process.
func (n *Namespace) Gateway() (netip.Addr, error) {
	a, err := n.asks("gateway", request{})
	if err != nil || a.Addr == nil {
		return netip.Addr{}, err
	}
	return *a.Addr, nil
}

// Close gives the namespace up, and removes everything that is held in it.
func (n *Namespace) Close() error { return n.close() }

// object is an object that the process holds: a Spec or a connection.
type object struct {
	namespace *Namespace
	n         int
	via       string
}

var (
	_ netns.Held = (*object)(nil)
	_ netns.Line = (*object)(nil)
)

func (o *object) Via() string { return o.via }

func (o *object) Affected() (netns.Affected, error) {
	a, err := o.namespace.asks("affected", request{N: o.n})
	if err != nil || a.Affected == nil {
		return netns.Affected{}, err
	}
	return *a.Affected, nil
}

// Lifted returns how long ago the process ended what it held at the end of its lease. Zero: it did not, or does not
// say.
func Lifted(ctx context.Context, held netns.Held) (ago time.Duration) {
	if o, ok := held.(*object); ok {
		a, _ := o.namespace.call(ctx, "lifted", request{N: o.n})
		return a.Lifted
	}
	return 0
}

func (o *object) Outcome(ctx context.Context) (netns.Outcome, error) {
	a, err := o.namespace.call(ctx, "outcome", request{N: o.n})
	return a.Outcome, err
}

// Close implements [netns.Held] and [netns.Line]. Of a process that has ended the error is [brunt/chaos/rpc.ErrEnded]:
// what the kernel ends with it is over.
func (o *object) Close() error {
	_, err := o.namespace.asks("close", request{N: o.n})
	return err
}
