// Package remote sets faults in a network namespace through a process that runs inside it.
//
//	brunt --Namespace.Set(spec)--> chaos/rpc --> process in the namespace --Serve--> netns.Namespace.Set
//
// It serves a brunt that may not enter the namespace itself, such as one in the docker group without root.
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
	"brunt/chaos/rpc"
)

// A Namespace is an agent that sets faults in a namespace that its caller may not enter: the agent runs in a
// container that shares the network of another. The caller talks to it through the package rpc. The agent
// removes all its faults when its input ends or is silent for ten seconds.
type Namespace struct{ to *rpc.Client }

// request holds the arguments of an operation.
type request struct {
	N    int             `json:"n,omitempty"`
	Spec *netns.Spec     `json:"spec,omitempty"`
	Undo *netns.Undo     `json:"undo,omitempty"`
	Look *netns.Look     `json:"look,omitempty"`
	To   *netip.AddrPort `json:"to,omitempty"`
}

// answer holds the result of an operation.
type answer struct {
	Error string      `json:"error,omitempty"`
	Can   bool        `json:"can,omitempty"`   // the error is ErrCannot
	Other bool        `json:"other,omitempty"` // it is ErrOther
	N     int         `json:"n,omitempty"`     // the number of a new held object
	Via   string      `json:"via,omitempty"`
	Spec  *netns.Spec `json:"spec,omitempty"`
	Undo  *netns.Undo `json:"undo,omitempty"`
	Met   *netns.Met  `json:"met,omitempty"`
	Seen  *netns.Seen `json:"seen,omitempty"`
	Fate  netns.Fate  `json:"fate,omitempty"`
	Addr  *netip.Addr `json:"addr,omitempty"`
}

// err returns the error of the remote operation.
func (a answer) err() error {
	switch {
	case a.Error == "":
		return nil
	case a.Can:
		return &told{a.Error, netns.ErrCannot}
	case a.Other:
		return &told{a.Error, netns.ErrOther}
	}
	return errors.New(a.Error)
}

// told is an error that the remote process reported.
type told struct {
	text string
	is   error
}

func (t *told) Error() string { return t.text }
func (t *told) Unwrap() error { return t.is }

// Serve runs the agent: it executes the requests from in on n, until in ends, ctx ends, or no
// request has arrived for ten seconds. Then it removes everything it holds in reverse order.
func Serve(ctx context.Context, n *netns.Namespace, in io.Reader, out io.Writer) error {
	h := &helping{n: n, held: map[int]io.Closer{}}
	err := rpc.Serve(ctx, in, out, h.answer)
	if err != nil && ctx.Err() != nil { // the end was requested
		err = nil
	}
	return errors.Join(err, h.end())
}

// helping holds the faults and connections of an agent.
type helping struct {
	n *netns.Namespace

	mu    sync.Mutex
	last  int
	held  map[int]io.Closer
	ended bool
}

// end removes everything in reverse order.
func (h *helping) end() error {
	h.mu.Lock()
	h.ended = true
	last := h.last
	h.mu.Unlock()
	var errs []error
	for i := last; i > 0; i-- {
		errs = append(errs, h.close(i))
	}
	return errors.Join(errs...)
}

// keep registers c to be closed by end. After end has begun it closes c at once.
func (h *helping) keep(c io.Closer) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return 0, errors.Join(errors.New("the helper ends"), c.Close())
	}
	h.last++
	h.held[h.last] = c
	return h.last, nil
}

func (h *helping) close(i int) error {
	h.mu.Lock()
	c := h.held[i]
	delete(h.held, i)
	h.mu.Unlock()
	if c == nil {
		return nil
	}
	return c.Close()
}

func heldAs[T any](h *helping, i int) (T, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t, ok := h.held[i].(T)
	if !ok {
		return t, fmt.Errorf("the helper holds no such thing as number %d", i)
	}
	return t, nil
}

// answer executes an operation and returns its result. The result contains the error, so that the
// caller can identify it.
func (h *helping) answer(ctx context.Context, op string, args json.RawMessage) (any, error) {
	var r request
	if err := json.Unmarshal(args, &r); err != nil {
		return nil, err
	}
	var a answer
	if err := h.do(ctx, op, r, &a); err != nil {
		a.Error, a.Can, a.Other = err.Error(), errors.Is(err, netns.ErrCannot), errors.Is(err, netns.ErrOther)
	}
	return a, nil
}

func (h *helping) do(ctx context.Context, op string, r request, a *answer) (err error) {
	switch {
	case op == "prepare" && r.Spec != nil:
		var s netns.Spec
		s, a.Undo, err = h.n.Prepare(*r.Spec)
		a.Spec = &s
	case op == "undo" && r.Undo != nil:
		err = h.n.Undo(*r.Undo)
	case op == "set" && r.Spec != nil:
		var held netns.Held
		if held, err = h.n.Set(*r.Spec); err == nil {
			a.Via = held.Via()
			a.N, err = h.keep(held)
		}
	case op == "met":
		var held netns.Held
		if held, err = heldAs[netns.Held](h, r.N); err == nil {
			var met netns.Met
			met, err = held.Met()
			a.Met = &met
		}
	case op == "look" && r.Look != nil:
		var s netns.Seen
		s, err = h.n.Look(ctx, *r.Look)
		a.Seen = &s
	case op == "line" && r.To != nil:
		var l netns.Line
		if l, err = h.n.Line(ctx, *r.To); err == nil {
			a.N, err = h.keep(l)
		}
	case op == "fate":
		var l netns.Line
		if l, err = heldAs[netns.Line](h, r.N); err == nil {
			a.Fate, err = l.Fate(ctx)
		}
	case op == "gateway":
		var g netip.Addr
		g, err = h.n.Gateway()
		a.Addr = &g
	case op == "close":
		err = h.close(r.N)
	default:
		err = fmt.Errorf("this helper does not know how to %q; its brunt is another one than its caller's", op)
	}
	return err
}

// Open connects to an agent over pipe and waits for its first answer. If there is none, it closes
// pipe.
func Open(ctx context.Context, pipe io.ReadWriteCloser) (*Namespace, error) {
	to, err := rpc.NewClient(ctx, pipe)
	if err != nil {
		return nil, err
	}
	return &Namespace{to}, nil
}

// ask calls an operation of the agent.
func (h *Namespace) ask(ctx context.Context, op string, r request) (answer, error) {
	var a answer
	if err := h.to.Call(ctx, op, r, &a); err != nil {
		return answer{}, fmt.Errorf("the helper: %w", err)
	}
	return a, a.err()
}

// asks calls an operation without a time limit.
func (h *Namespace) asks(op string, r request) (answer, error) {
	return h.ask(context.Background(), op, r)
}

// Prepare is [netns.Namespace.Prepare], executed by the agent.
func (h *Namespace) Prepare(s netns.Spec) (netns.Spec, *netns.Undo, error) {
	a, err := h.asks("prepare", request{Spec: &s})
	if err != nil {
		return s, nil, err
	}
	if a.Spec == nil {
		return s, nil, errors.New("the helper did not say how it would do it")
	}
	return *a.Spec, a.Undo, nil
}

// Undo is [netns.Namespace.Undo], executed by the agent.
func (h *Namespace) Undo(u netns.Undo) error {
	_, err := h.asks("undo", request{Undo: &u})
	return err
}

// Set is [netns.Namespace.Set], executed by the agent. Its effect ends with the agent.
func (h *Namespace) Set(s netns.Spec) (netns.Held, error) {
	a, err := h.asks("set", request{Spec: &s})
	if err != nil {
		return nil, err
	}
	return &helped{h, a.N, a.Via}, nil
}

// Look is [netns.Namespace.Look], executed by the agent.
func (h *Namespace) Look(ctx context.Context, l netns.Look) (netns.Seen, error) {
	a, err := h.ask(ctx, "look", request{Look: &l})
	if a.Seen == nil {
		return netns.Seen{}, err
	}
	return *a.Seen, err
}

// Line is [netns.Namespace.Line], executed by the agent.
func (h *Namespace) Line(ctx context.Context, to netip.AddrPort) (netns.Line, error) {
	a, err := h.ask(ctx, "line", request{To: &to})
	if err != nil {
		return nil, err
	}
	return &helped{h, a.N, ""}, nil
}

// Gateway is [netns.Namespace.Gateway], executed by the agent.
func (h *Namespace) Gateway() (netip.Addr, error) {
	a, err := h.asks("gateway", request{})
	if err != nil || a.Addr == nil {
		return netip.Addr{}, err
	}
	return *a.Addr, nil
}

// Close ends the agent, which removes everything it holds, and waits until it has.
func (h *Namespace) Close() error {
	const most = 5 * time.Second
	return h.to.CloseWithin(most)
}

// helped is an object that the agent holds: a Spec or a connection.
type helped struct {
	h   *Namespace
	n   int
	via string
}

var (
	_ netns.Held = (*helped)(nil)
	_ netns.Line = (*helped)(nil)
)

// Via implements [netns.Held].
func (h *helped) Via() string { return h.via }

// Met implements [netns.Held].
func (h *helped) Met() (netns.Met, error) {
	a, err := h.h.asks("met", request{N: h.n})
	if err != nil || a.Met == nil {
		return netns.Met{}, err
	}
	return *a.Met, nil
}

// Fate implements [netns.Line].
func (h *helped) Fate(ctx context.Context) (netns.Fate, error) {
	a, err := h.h.ask(ctx, "fate", request{N: h.n})
	return a.Fate, err
}

// Close implements [netns.Held] and [netns.Line]. An agent that has ended has removed everything.
func (h *helped) Close() error {
	_, err := h.h.asks("close", request{N: h.n})
	if errors.Is(err, rpc.ErrEnded) {
		return nil
	}
	return err
}
