package remote

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"brunt/chaos/netns"
	"brunt/chaos/rpc"
)

// A Namespace is a network namespace in which another process acts.
type Namespace struct {
	ask   rpc.Asks
	look  rpc.Asks
	close func() error
}

// New returns a namespace of another process, for [Server.Operations]. If the process has ended, ask returns
// [rpc.ErrEnded]. look is ask for operations that change nothing: it ends when its ctx is cancelled. Close calls end.
func New(ask, look rpc.Asks, end func() error) *Namespace {
	return &Namespace{ask: ask, look: look, close: end}
}

// Operations on a network.
const (
	opPrepare  rpc.Op[netns.Spec, answer[prepared]]           = "network.prepare"
	opUndo     rpc.Op[netns.Undo, answer[rpc.None]]           = "network.undo"
	opSet      rpc.Op[netns.Spec, answer[held]]               = "network.set"
	opAffected rpc.Op[number, answer[netns.Affected]]         = "network.affected"
	opLifted   rpc.Op[number, answer[time.Duration]]          = "network.lifted"
	opProbe    rpc.Op[netns.Probe, answer[netns.ProbeResult]] = "network.probe"
	opLine     rpc.Op[netip.AddrPort, answer[number]]         = "network.line"
	opOutcome  rpc.Op[number, answer[netns.Outcome]]          = "network.outcome"
	opGateway  rpc.Op[rpc.None, answer[netip.Addr]]           = "network.gateway"
	opClose    rpc.Op[number, answer[rpc.None]]               = "network.close"
	opRevoke   rpc.Op[string, answer[rpc.None]]               = "network.revoke" // by the key of a lease
)

type (
	// A number identifies an object that the process holds.
	number int

	prepared struct {
		Spec netns.Spec  `json:"spec"`
		Undo *netns.Undo `json:"undo,omitempty"`
	}

	held struct {
		N   number `json:"n"`
		Via string `json:"via"`
	}

	// An answer is a result with its error, so that the caller can identify it.
	answer[R any] struct {
		Result R      `json:"result"`
		Error  string `json:"error,omitempty"`
		Cannot bool   `json:"cannot,omitempty"` // the error is netns.ErrCannot
		Other  bool   `json:"other,omitempty"`  // the error is netns.ErrOther
		// Removed is What of the error, if that is a netns.RemovedError
		Removed string `json:"removed,omitempty"`
	}
)

// err returns the error of the remote operation.
func (a *answer[R]) err() error {
	switch {
	case a.Error == "":
		return nil
	case a.Cannot:
		return &remoteError{a.Error, netns.ErrCannot}
	case a.Other:
		return &remoteError{a.Error, netns.ErrOther}
	case a.Removed != "":
		return netns.RemovedError{What: a.Removed}
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
func call[A, R any](ctx context.Context, n *Namespace, op rpc.Op[A, answer[R]], args A) (R, error) {
	a, err := op.Of(ctx, n.ask, args)
	if err == nil {
		err = a.err()
	}
	return a.Result, err
}

// Prepare is [netns.Namespace.Prepare], executed by the process.
func (n *Namespace) Prepare(s netns.Spec) (netns.Spec, *netns.Undo, error) {
	p, err := call(context.Background(), n, opPrepare, s)
	if err != nil {
		return s, nil, err
	}
	return p.Spec, p.Undo, nil
}

// Undo is [netns.Namespace.Undo], executed by the process.
func (n *Namespace) Undo(u netns.Undo) error {
	_, err := call(context.Background(), n, opUndo, u)
	return err
}

// Set is [netns.Namespace.Set], executed by the process. Its effect ends with the process. If the process does not
// answer, it may still do it, so the error comes with a [netns.Held]: closing that removes the effect of the Spec, and
// makes the process refuse it from then on. This takes a Spec with the key of a lease.
func (n *Namespace) Set(s netns.Spec) (netns.Held, error) {
	a, err := opSet.Of(context.Background(), n.ask, s)
	switch {
	case err == nil:
		err = a.err()
	case s.Lease.Key != "" && !errors.Is(err, rpc.ErrEnded):
		return &unanswered{n, s.Lease.Key}, err
	}
	if err != nil {
		return nil, err
	}
	return &object{n, a.Result.N, a.Result.Via}, nil
}

// unanswered is a Spec of which the process has not said whether it is active.
type unanswered struct {
	namespace *Namespace
	key       string
}

var _ netns.Held = (*unanswered)(nil)

func (u *unanswered) Via() string { return "" }

func (u *unanswered) Affected() (netns.Affected, error) {
	return netns.Affected{}, errors.New("the process did not say whether it is active")
}

func (u *unanswered) Close() error {
	_, err := call(context.Background(), u.namespace, opRevoke, u.key)
	if errors.Is(err, rpc.ErrEnded) {
		return nil
	}
	return err
}

// Probe is [netns.Namespace.Probe], executed by the process.
func (n *Namespace) Probe(ctx context.Context, l netns.Probe) (netns.ProbeResult, error) {
	return call(ctx, n, opProbe, l)
}

// Line is [netns.Namespace.Line], executed by the process.
func (n *Namespace) Line(ctx context.Context, to netip.AddrPort) (netns.Line, error) {
	number, err := call(ctx, n, opLine, to)
	if err != nil {
		return nil, err
	}
	return &object{n, number, ""}, nil
}

// Gateway is [netns.Namespace.Gateway], executed by the process.
func (n *Namespace) Gateway() (netip.Addr, error) {
	return call(context.Background(), n, opGateway, rpc.None{})
}

// Close releases the namespace, and removes everything that is held in it.
func (n *Namespace) Close() error { return n.close() }

// object is an object that the process holds: a Spec or a connection.
type object struct {
	namespace *Namespace
	n         number
	via       string
}

var (
	_ netns.Held = (*object)(nil)
	_ netns.Line = (*object)(nil)
)

func (o *object) Via() string { return o.via }

func (o *object) Affected() (netns.Affected, error) {
	return call(context.Background(), o.namespace, opAffected, o.n)
}

// Lifted asks the process how long ago it ended a Spec at the end of its lease; zero means that it did not. If the
// process has ended, the error is [rpc.ErrEnded]; if another program removed the effect, a [netns.RemovedError].
func Lifted(ctx context.Context, held netns.Held) (ago time.Duration, err error) {
	o, ok := held.(*object)
	if !ok {
		return 0, removed(held)
	}
	a, err := opLifted.Of(ctx, o.namespace.look, o.n)
	if err == nil {
		err = a.err()
	}
	return a.Result, err
}

// removed returns the [netns.RemovedError] of an effect, or nil.
func removed(held netns.Held) error {
	_, err := held.Affected()
	if gone, ok := errors.AsType[netns.RemovedError](err); ok {
		return gone
	}
	return nil
}

func (o *object) Outcome(ctx context.Context) (netns.Outcome, error) {
	return call(ctx, o.namespace, opOutcome, o.n)
}

// Close implements [netns.Held] and [netns.Line]. If the process has ended, the error is [rpc.ErrEnded]: everything
// that the kernel ends with the process is over.
func (o *object) Close() error {
	_, err := call(context.Background(), o.namespace, opClose, o.n)
	return err
}
