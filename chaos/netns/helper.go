package netns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"time"

	"brunt/chaos/rpc"
)

// A Helper is a process inside a namespace that does there what its caller may not: a
// container that the engine has started in the network of another. It is talked to as
// package talk has it, and takes everything back when its input ends or is silent for long.
type Helper struct{ to *rpc.Client }

// request is what a helper is asked to do something with.
type request struct {
	N    int             `json:"n,omitempty"`
	Spec *Spec           `json:"spec,omitempty"`
	Undo *Undo           `json:"undo,omitempty"`
	Look *Look           `json:"look,omitempty"`
	To   *netip.AddrPort `json:"to,omitempty"`
}

// answer is what came of it.
type answer struct {
	Error string      `json:"error,omitempty"`
	Can   bool        `json:"can,omitempty"`   // the error is ErrCannot
	Other bool        `json:"other,omitempty"` // it is ErrOther
	N     int         `json:"n,omitempty"`     // of what is held from now on
	Via   string      `json:"via,omitempty"`
	Spec  *Spec       `json:"spec,omitempty"`
	Undo  *Undo       `json:"undo,omitempty"`
	Met   *Met        `json:"met,omitempty"`
	Seen  *Seen       `json:"seen,omitempty"`
	Fate  Fate        `json:"fate,omitempty"`
	Addr  *netip.Addr `json:"addr,omitempty"`
}

// err is what went wrong over there.
func (a answer) err() error {
	switch {
	case a.Error == "":
		return nil
	case a.Can:
		return &told{a.Error, ErrCannot}
	case a.Other:
		return &told{a.Error, ErrOther}
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

// Help is the helper's own life: it does in n what lines from in ask for, until in ends,
// ctx does, or nothing has come for ten seconds; then it takes everything back, the last
// first.
func Help(ctx context.Context, n *Namespace, in io.Reader, out io.Writer) error {
	h := &helping{n: n, held: map[int]io.Closer{}}
	err := rpc.Serve(ctx, in, out, h.answer)
	if err != nil && ctx.Err() != nil { // it was to end
		err = nil
	}
	return errors.Join(err, h.end())
}

// helping is what a helper has in its hands.
type helping struct {
	n *Namespace

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
		a.Error, a.Can, a.Other = err.Error(), errors.Is(err, ErrCannot), errors.Is(err, ErrOther)
	}
	return a, nil
}

func (h *helping) do(ctx context.Context, op string, r request, a *answer) (err error) {
	switch {
	case op == "prepare" && r.Spec != nil:
		var s Spec
		s, a.Undo, err = h.n.Prepare(*r.Spec)
		a.Spec = &s
	case op == "undo" && r.Undo != nil:
		err = h.n.Undo(*r.Undo)
	case op == "set" && r.Spec != nil:
		var held Held
		if held, err = h.n.Set(*r.Spec); err == nil {
			a.Via = held.Via()
			a.N, err = h.keep(held)
		}
	case op == "met":
		var held Held
		if held, err = heldAs[Held](h, r.N); err == nil {
			var met Met
			met, err = held.Met()
			a.Met = &met
		}
	case op == "look" && r.Look != nil:
		var s Seen
		s, err = h.n.Look(ctx, *r.Look)
		a.Seen = &s
	case op == "line" && r.To != nil:
		var l Line
		if l, err = h.n.Line(ctx, *r.To); err == nil {
			a.N, err = h.keep(l)
		}
	case op == "fate":
		var l Line
		if l, err = heldAs[Line](h, r.N); err == nil {
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

// NewHelper talks to a helper over pipe, and waits until it answers. It closes pipe when
// it does not.
func NewHelper(ctx context.Context, pipe io.ReadWriteCloser) (*Helper, error) {
	to, err := rpc.NewClient(ctx, pipe)
	if err != nil {
		return nil, err
	}
	return &Helper{to}, nil
}

// ask has the helper do something.
func (h *Helper) ask(ctx context.Context, op string, r request) (answer, error) {
	var a answer
	if err := h.to.Call(ctx, op, r, &a); err != nil {
		return answer{}, fmt.Errorf("the helper: %w", err)
	}
	return a, a.err()
}

// asks is ask for what has no bound of its own.
func (h *Helper) asks(op string, r request) (answer, error) {
	return h.ask(context.Background(), op, r)
}

// Prepare is [Namespace.Prepare], done by the helper.
func (h *Helper) Prepare(s Spec) (Spec, *Undo, error) {
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
func (h *Helper) Undo(u Undo) error {
	_, err := h.asks("undo", request{Undo: &u})
	return err
}

// Set is [Namespace.Set], done by the helper. What is held ends with it.
func (h *Helper) Set(s Spec) (Held, error) {
	a, err := h.asks("set", request{Spec: &s})
	if err != nil {
		return nil, err
	}
	return &helped{h, a.N, a.Via}, nil
}

// Look is [Namespace.Look], done by the helper.
func (h *Helper) Look(ctx context.Context, l Look) (Seen, error) {
	a, err := h.ask(ctx, "look", request{Look: &l})
	if a.Seen == nil {
		return Seen{}, err
	}
	return *a.Seen, err
}

// Line is [Namespace.Line], done by the helper.
func (h *Helper) Line(ctx context.Context, to netip.AddrPort) (Line, error) {
	a, err := h.ask(ctx, "line", request{To: &to})
	if err != nil {
		return nil, err
	}
	return &helped{h, a.N, ""}, nil
}

// Gateway is [Namespace.Gateway], asked of the helper.
func (h *Helper) Gateway() (netip.Addr, error) {
	a, err := h.asks("gateway", request{})
	if err != nil || a.Addr == nil {
		return netip.Addr{}, err
	}
	return *a.Addr, nil
}

// Close ends the helper, which takes back all that it holds, and waits until it has.
func (h *Helper) Close() error {
	const most = 5 * time.Second
	return h.to.CloseWithin(most)
}

// helped is what a helper holds: a Spec or a connection.
type helped struct {
	h   *Helper
	n   int
	via string
}

var (
	_ Held = (*helped)(nil)
	_ Line = (*helped)(nil)
)

// Via implements [Held].
func (h *helped) Via() string { return h.via }

// Met implements [Held].
func (h *helped) Met() (Met, error) {
	a, err := h.h.asks("met", request{N: h.n})
	if err != nil || a.Met == nil {
		return Met{}, err
	}
	return *a.Met, nil
}

// Fate implements [Line].
func (h *helped) Fate(ctx context.Context) (Fate, error) {
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
