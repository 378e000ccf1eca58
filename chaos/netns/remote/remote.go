// Package remote sets faults in a network namespace through a process that runs inside it.
//
//	brunt --Namespace.Set(spec)--> chaos/rpc --> process in the namespace --Serve--> netns.Namespace.Set
//
// It is for a brunt that may not enter the namespace itself, such as one of the docker group without root.
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

// A Namespace is a process that sets faults in a namespace that its caller may not enter: a container
// that the engine has started in the network of another. The caller speaks to it by the package rpc.
// The process removes all its faults when its input ends or is silent for ten seconds.
type Namespace struct{ to *rpc.Client }

// request holds the arguments of an operation.
type request struct {
	N    int             `json:"n,omitempty"`
	Spec *netns.Spec     `json:"spec,omitempty"`
	Undo *netns.Undo     `json:"undo,omitempty"`
	Look *netns.Look     `json:"look,omitempty"`
	To   *netip.AddrPort `json:"to,omitempty"`
}

// answer is what came of it.
type answer struct {
	Error string      `json:"error,omitempty"`
	Can   bool        `json:"can,omitempty"`   // the error is ErrCannot
	Other bool        `json:"other,omitempty"` // it is ErrOther
	N     int         `json:"n,omitempty"`     // of what is held from now on
	Via   string      `json:"via,omitempty"`
	Spec  *netns.Spec `json:"spec,omitempty"`
	Undo  *netns.Undo `json:"undo,omitempty"`
	Met   *netns.Met  `json:"met,omitempty"`
	Seen  *netns.Seen `json:"seen,omitempty"`
	Fate  netns.Fate  `json:"fate,omitempty"`
	Addr  *netip.Addr `json:"addr,omitempty"`
}

// err is what went wrong over there.
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

// told is an error that somebody else has met.
type told struct {
	text string
	is   error
}

func (t *told) Error() string { return t.text }
func (t *told) Unwrap() error { return t.is }

// Serve is the helper's own life: it does in n what lines from in ask for, until in ends,
// ctx does, or nothing has come for ten seconds; then it takes everything back, the last
// first.
func Serve(ctx context.Context, n *netns.Namespace, in io.Reader, out io.Writer) error {
	h := &helping{n: n, held: map[int]io.Closer{}}
	err := rpc.Serve(ctx, in, out, h.answer)
	if err != nil && ctx.Err() != nil { // it was to end
		err = nil
	}
	return errors.Join(err, h.end())
}

// helping is what a helper has in its hands.
type helping struct {
	n *netns.Namespace

	mu    sync.Mutex
	last  int
	held  map[int]io.Closer
	ended bool
}

// end takes everything back, the last first.
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

// keep takes something into its hands. Once the end has come there is nobody to take it
// back, so it is closed at once.
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

// answer does what is asked for, and says what came of it. An error is a part of that, so
// that the caller knows which it is.
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

// Open talks to a helper over pipe, and waits until it answers. It closes pipe when
// it does not.
func Open(ctx context.Context, pipe io.ReadWriteCloser) (*Namespace, error) {
	to, err := rpc.NewClient(ctx, pipe)
	if err != nil {
		return nil, err
	}
	return &Namespace{to}, nil
}

// ask has the helper do something.
func (h *Namespace) ask(ctx context.Context, op string, r request) (answer, error) {
	var a answer
	if err := h.to.Call(ctx, op, r, &a); err != nil {
		return answer{}, fmt.Errorf("the helper: %w", err)
	}
	return a, a.err()
}

// asks is ask for what has no bound of its own.
func (h *Namespace) asks(op string, r request) (answer, error) {
	return h.ask(context.Background(), op, r)
}

// Prepare is [Namespace.Prepare], done by the helper.
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

// Undo is [Namespace.Undo], done by the helper.
func (h *Namespace) Undo(u netns.Undo) error {
	_, err := h.asks("undo", request{Undo: &u})
	return err
}

// Set is [Namespace.Set], done by the helper. What is held ends with it.
func (h *Namespace) Set(s netns.Spec) (netns.Held, error) {
	a, err := h.asks("set", request{Spec: &s})
	if err != nil {
		return nil, err
	}
	return &helped{h, a.N, a.Via}, nil
}

// Look is [Namespace.Look], done by the helper.
func (h *Namespace) Look(ctx context.Context, l netns.Look) (netns.Seen, error) {
	a, err := h.ask(ctx, "look", request{Look: &l})
	if a.Seen == nil {
		return netns.Seen{}, err
	}
	return *a.Seen, err
}

// Line is [Namespace.Line], done by the helper.
func (h *Namespace) Line(ctx context.Context, to netip.AddrPort) (netns.Line, error) {
	a, err := h.ask(ctx, "line", request{To: &to})
	if err != nil {
		return nil, err
	}
	return &helped{h, a.N, ""}, nil
}

// Gateway is [Namespace.Gateway], asked of the helper.
func (h *Namespace) Gateway() (netip.Addr, error) {
	a, err := h.asks("gateway", request{})
	if err != nil || a.Addr == nil {
		return netip.Addr{}, err
	}
	return *a.Addr, nil
}

// Close ends the helper, which takes back all that it holds, and waits until it has.
func (h *Namespace) Close() error {
	const most = 5 * time.Second
	return h.to.CloseWithin(most)
}

// helped is what a helper holds: a Spec or a connection.
type helped struct {
	h   *Namespace
	n   int
	via string
}

var (
	_ netns.Held = (*helped)(nil)
	_ netns.Line = (*helped)(nil)
)

// Via implements [Held].
func (h *helped) Via() string { return h.via }

// Met implements [Held].
func (h *helped) Met() (netns.Met, error) {
	a, err := h.h.asks("met", request{N: h.n})
	if err != nil || a.Met == nil {
		return netns.Met{}, err
	}
	return *a.Met, nil
}

// Fate implements [Line].
func (h *helped) Fate(ctx context.Context) (netns.Fate, error) {
	a, err := h.h.ask(ctx, "fate", request{N: h.n})
	return a.Fate, err
}

// Close implements [Held] and [Line]. A helper that has ended has taken everything back.
func (h *helped) Close() error {
	_, err := h.h.asks("close", request{N: h.n})
	if errors.Is(err, rpc.ErrEnded) {
		return nil
	}
	return err
}
