package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"brunt/chaos/netns"
	"brunt/chaos/rpc"
)

// A RemoteNamespace is the network of a container that brunt may not enter: an agent that shares it injects
// the faults there. The agent removes all its faults when its input ends or is silent for ten seconds.
type RemoteNamespace struct{ to *rpc.Client }

// networkPrefix begins the names of operations on the network.
const networkPrefix = "network."

// networkRequest holds the arguments of an operation on the network.
type networkRequest struct {
	N     int             `json:"n,omitempty"`
	Spec  *netns.Spec     `json:"spec,omitempty"`
	Undo  *netns.Undo     `json:"undo,omitempty"`
	Probe *netns.Probe    `json:"look,omitempty"`
	To    *netip.AddrPort `json:"to,omitempty"`
}

// networkReply holds the result of an operation on the network. It contains the error, so that the caller can
// identify it.
type networkReply struct {
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
}

// err returns the error of the remote operation.
func (a networkReply) err() error {
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

// remoteError is an error that the agent reported.
type remoteError struct {
	text string
	is   error
}

func (e *remoteError) Error() string { return e.text }
func (e *remoteError) Unwrap() error { return e.is }

// openRemote connects to an agent over pipe and waits for its first answer. If there is none, it closes
// pipe.
func openRemote(ctx context.Context, pipe io.ReadWriteCloser) (*RemoteNamespace, error) {
	to, err := rpc.NewClient(ctx, pipe)
	if err != nil {
		return nil, err
	}
	return &RemoteNamespace{to}, nil
}

// ask calls an operation of the agent.
func (n *RemoteNamespace) ask(ctx context.Context, op string, r networkRequest) (networkReply, error) {
	var a networkReply
	if err := n.to.Call(ctx, networkPrefix+op, r, &a); err != nil {
		return networkReply{}, fmt.Errorf("the agent: %w", err)
	}
	return a, a.err()
}

// asks calls an operation without a time limit.
func (n *RemoteNamespace) asks(op string, r networkRequest) (networkReply, error) {
	return n.ask(context.Background(), op, r)
}

// Prepare is [netns.Namespace.Prepare], executed by the agent.
func (n *RemoteNamespace) Prepare(s netns.Spec) (netns.Spec, *netns.Undo, error) {
	a, err := n.asks("prepare", networkRequest{Spec: &s})
	if err != nil {
		return s, nil, err
	}
	if a.Spec == nil {
		return s, nil, errors.New("the agent did not say which mechanism it would use")
	}
	return *a.Spec, a.Undo, nil
}

// Undo is [netns.Namespace.Undo], executed by the agent.
func (n *RemoteNamespace) Undo(u netns.Undo) error {
	_, err := n.asks("undo", networkRequest{Undo: &u})
	return err
}

// Set is [netns.Namespace.Set], executed by the agent. Its effect ends with the agent.
func (n *RemoteNamespace) Set(s netns.Spec) (netns.Held, error) {
	a, err := n.asks("set", networkRequest{Spec: &s})
	if err != nil {
		return nil, err
	}
	return &remoteObject{n, a.N, a.Via}, nil
}

// Probe is [netns.Namespace.Probe], executed by the agent.
func (n *RemoteNamespace) Probe(ctx context.Context, l netns.Probe) (netns.ProbeResult, error) {
	a, err := n.ask(ctx, "probe", networkRequest{Probe: &l})
	if a.Seen == nil {
		return netns.ProbeResult{}, err
	}
	return *a.Seen, err
}

// Line is [netns.Namespace.Line], executed by the agent.
func (n *RemoteNamespace) Line(ctx context.Context, to netip.AddrPort) (netns.Line, error) {
	a, err := n.ask(ctx, "line", networkRequest{To: &to})
	if err != nil {
		return nil, err
	}
	return &remoteObject{n, a.N, ""}, nil
}

// Gateway is [netns.Namespace.Gateway], executed by the agent.
func (n *RemoteNamespace) Gateway() (netip.Addr, error) {
	a, err := n.asks("gateway", networkRequest{})
	if err != nil || a.Addr == nil {
		return netip.Addr{}, err
	}
	return *a.Addr, nil
}

// Close ends the agent, which removes everything it holds, and waits until it has.
func (n *RemoteNamespace) Close() error {
	const most = 5 * time.Second
	return n.to.CloseWithin(most)
}

// remoteObject is an object that the agent holds: a Spec or a connection.
type remoteObject struct {
	namespace *RemoteNamespace
	n         int
	via       string
}

var (
	_ netns.Held = (*remoteObject)(nil)
	_ netns.Line = (*remoteObject)(nil)
)

// Via implements [netns.Held].
func (o *remoteObject) Via() string { return o.via }

// Affected implements [netns.Held].
func (o *remoteObject) Affected() (netns.Affected, error) {
	a, err := o.namespace.asks("affected", networkRequest{N: o.n})
	if err != nil || a.Affected == nil {
		return netns.Affected{}, err
	}
	return *a.Affected, nil
}

// Outcome implements [netns.Line].
func (o *remoteObject) Outcome(ctx context.Context) (netns.Outcome, error) {
	a, err := o.namespace.ask(ctx, "outcome", networkRequest{N: o.n})
	return a.Outcome, err
}

// Close implements [netns.Held] and [netns.Line]. An agent that has ended has removed everything.
func (o *remoteObject) Close() error {
	_, err := o.namespace.asks("close", networkRequest{N: o.n})
	if errors.Is(err, rpc.ErrEnded) {
		return nil
	}
	return err
}
