package netns

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"sync"
	"time"
)

// A Helper is a process inside a namespace that does there what its caller may not: a
// container that the engine has started in the network of another. It speaks lines of
// JSON, and takes everything back when its input ends or is silent for long.
//
//	caller --{"id":1,"op":"set","spec":{…}}--> helper
//	       <-{"id":1,"n":1,"via":"nft"}-------
type Helper struct {
	pipe io.ReadWriteCloser

	stop chan struct{} // closed to end the heartbeat
	beat sync.WaitGroup
	over chan struct{} // closed when no answer comes any more

	mu    sync.Mutex
	last  int
	wait  map[int]chan answer
	ended error // why no answer comes any more
}

// A caller that lives says so, and a helper that hears nothing for long takes everything
// back: its input is open as long as a caller that is stopped has it.
const (
	beatEvery    = time.Second
	beatPatience = 10 * beatEvery
)

// request is a line to a helper.
type request struct {
	ID     int             `json:"id"`
	Op     string          `json:"op"` // beat, hello, prepare, set, undo, met, look, line, fate, gateway, close
	N      int             `json:"n,omitempty"`
	Spec   *Spec           `json:"spec,omitempty"`
	Undo   *Undo           `json:"undo,omitempty"`
	Look   *Look           `json:"look,omitempty"`
	To     *netip.AddrPort `json:"to,omitempty"`
	Within time.Duration   `json:"within,omitempty"` // for what has to wait
}

// answer is a line from a helper.
type answer struct {
	ID    int         `json:"id"`
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

// errHelperEnded tells that nobody is there any more.
var errHelperEnded = errors.New("the helper has ended")

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
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	hung := time.NewTimer(beatPatience)
	defer hung.Stop()
	h := &helping{n: n, out: json.NewEncoder(out), held: map[int]io.Closer{}}
	lines := make(chan []byte)
	go func() {
		defer close(lines)
		for s := bufio.NewReader(in); ; {
			b, err := s.ReadBytes('\n')
			if err != nil { // half a line asks for nothing
				return
			}
			select {
			case lines <- b:
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case b, more := <-lines:
			if !more {
				return h.end()
			}
			hung.Reset(beatPatience)
			var r request
			if err := json.Unmarshal(b, &r); err != nil {
				return errors.Join(fmt.Errorf("a line that is no request: %w", err), h.end())
			}
			if r.Op != "beat" {
				h.work.Go(func() { h.answer(ctx, r) })
			}
		case <-hung.C:
			return errors.Join(errors.New("the helper's caller hangs"), h.end())
		case <-ctx.Done():
			return h.end()
		}
	}
}

// helping is what a helper has in its hands.
type helping struct {
	n    *Namespace
	work sync.WaitGroup

	mu    sync.Mutex
	out   *json.Encoder
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
	h.work.Wait()
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

// answer does what a request asks for, and says what came of it.
func (h *helping) answer(ctx context.Context, r request) {
	if r.Within > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, r.Within)
		defer cancel()
	}
	a := answer{ID: r.ID}
	if err := h.do(ctx, r, &a); err != nil {
		a.Error, a.Can, a.Other = err.Error(), errors.Is(err, ErrCannot), errors.Is(err, ErrOther)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	_ = h.out.Encode(a) // who does not read it any more has closed our input as well
}

func (h *helping) do(ctx context.Context, r request, a *answer) (err error) {
	switch {
	case r.Op == "hello":
		return nil
	case r.Op == "prepare" && r.Spec != nil:
		var s Spec
		s, a.Undo, err = h.n.Prepare(*r.Spec)
		a.Spec = &s
	case r.Op == "undo" && r.Undo != nil:
		err = h.n.Undo(*r.Undo)
	case r.Op == "set" && r.Spec != nil:
		var held Held
		if held, err = h.n.Set(*r.Spec); err == nil {
			a.Via = held.Via()
			a.N, err = h.keep(held)
		}
	case r.Op == "met":
		var held Held
		if held, err = heldAs[Held](h, r.N); err == nil {
			var met Met
			met, err = held.Met()
			a.Met = &met
		}
	case r.Op == "look" && r.Look != nil:
		var s Seen
		s, err = h.n.Look(ctx, *r.Look)
		a.Seen = &s
	case r.Op == "line" && r.To != nil:
		var l Line
		if l, err = h.n.Line(ctx, *r.To); err == nil {
			a.N, err = h.keep(l)
		}
	case r.Op == "fate":
		var l Line
		if l, err = heldAs[Line](h, r.N); err == nil {
			a.Fate, err = l.Fate(ctx)
		}
	case r.Op == "gateway":
		var g netip.Addr
		g, err = h.n.Gateway()
		a.Addr = &g
	case r.Op == "close":
		err = h.close(r.N)
	default:
		err = fmt.Errorf("this helper does not know how to %q; its brunt is another one than its caller's", r.Op)
	}
	return err
}

// NewHelper talks to a helper over pipe, and waits until it answers. It closes pipe when
// it does not.
func NewHelper(ctx context.Context, pipe io.ReadWriteCloser) (*Helper, error) {
	h := &Helper{pipe: pipe, wait: map[int]chan answer{}, stop: make(chan struct{}), over: make(chan struct{})}
	go h.read() // ends with pipe
	if _, err := h.ask(ctx, request{Op: "hello"}); err != nil {
		return nil, errors.Join(err, pipe.Close())
	}
	h.beat.Go(h.beats)
	return h, nil
}

func (h *Helper) beats() {
	t := time.NewTicker(beatEvery)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			h.mu.Lock()
			_, err := h.pipe.Write([]byte(`{"op":"beat"}` + "\n"))
			h.mu.Unlock()
			if err != nil {
				return // whoever asks something is told
			}
		case <-h.over:
			return
		case <-h.stop:
			return
		}
	}
}

// read passes answers on to who waits for them.
func (h *Helper) read() {
	in := bufio.NewReader(h.pipe)
	for {
		b, err := in.ReadBytes('\n')
		var a answer
		if err == nil {
			if json.Unmarshal(b, &a) != nil {
				err = fmt.Errorf("the helper says %.200q", b)
			}
		} else if err == io.EOF {
			err = errHelperEnded
			if len(b) > 0 {
				err = fmt.Errorf("%w, saying %.200q", errHelperEnded, b)
			}
		}
		h.mu.Lock()
		if err != nil {
			h.ended = err
			for _, c := range h.wait {
				close(c)
			}
			h.wait = map[int]chan answer{}
			h.mu.Unlock()
			close(h.over)
			return
		}
		if c := h.wait[a.ID]; c != nil {
			c <- a // there is room for one
			delete(h.wait, a.ID)
		}
		h.mu.Unlock()
	}
}

// ask sends a request and waits for its answer.
func (h *Helper) ask(ctx context.Context, r request) (answer, error) {
	const slack = 5 * time.Second // for the way, beyond what the request itself may take
	if end, ok := ctx.Deadline(); ok {
		r.Within = max(time.Until(end), time.Millisecond)
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), r.Within+slack)
		defer cancel()
	}
	c := make(chan answer, 1)
	h.mu.Lock()
	if h.ended != nil {
		h.mu.Unlock()
		return answer{}, h.ended
	}
	h.last++
	r.ID = h.last
	h.wait[r.ID] = c
	b, err := json.Marshal(r)
	if err == nil {
		_, err = h.pipe.Write(append(b, '\n'))
	}
	h.mu.Unlock()
	if err != nil {
		return answer{}, fmt.Errorf("asking the helper: %w", err)
	}
	select {
	case a, ok := <-c:
		if !ok {
			h.mu.Lock()
			defer h.mu.Unlock()
			return answer{}, h.ended
		}
		return a, a.err()
	case <-ctx.Done():
		return answer{}, fmt.Errorf("the helper does not answer: %w", context.Cause(ctx))
	}
}

// asks bounds a request that has no bound of its own.
func (h *Helper) asks(r request) (answer, error) {
	const most = 30 * time.Second
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	return h.ask(ctx, r)
}

// Prepare is [Namespace.Prepare], done by the helper.
func (h *Helper) Prepare(s Spec) (Spec, *Undo, error) {
	a, err := h.asks(request{Op: "prepare", Spec: &s})
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
	_, err := h.asks(request{Op: "undo", Undo: &u})
	return err
}

// Set is [Namespace.Set], done by the helper. What is held ends with it.
func (h *Helper) Set(s Spec) (Held, error) {
	a, err := h.asks(request{Op: "set", Spec: &s})
	if err != nil {
		return nil, err
	}
	return &helped{h, a.N, a.Via}, nil
}

// Look is [Namespace.Look], done by the helper.
func (h *Helper) Look(ctx context.Context, l Look) (Seen, error) {
	a, err := h.ask(ctx, request{Op: "look", Look: &l})
	if a.Seen == nil {
		return Seen{}, err
	}
	return *a.Seen, err
}

// Line is [Namespace.Line], done by the helper.
func (h *Helper) Line(ctx context.Context, to netip.AddrPort) (Line, error) {
	a, err := h.ask(ctx, request{Op: "line", To: &to})
	if err != nil {
		return nil, err
	}
	return &helped{h, a.N, ""}, nil
}

// Gateway is [Namespace.Gateway], asked of the helper.
func (h *Helper) Gateway() (netip.Addr, error) {
	a, err := h.asks(request{Op: "gateway"})
	if err != nil || a.Addr == nil {
		return netip.Addr{}, err
	}
	return *a.Addr, nil
}

// Close ends the helper, which takes back all that it holds, and waits until it has.
func (h *Helper) Close() error {
	close(h.stop)
	h.beat.Wait()
	half, ok := h.pipe.(interface{ CloseWrite() error })
	if !ok {
		return h.pipe.Close()
	}
	const most = 5 * time.Second
	var err error
	if err = half.CloseWrite(); err == nil {
		select {
		case <-h.over:
		case <-time.After(most):
			err = errors.New("the helper does not end")
		}
	}
	return errors.Join(err, h.pipe.Close())
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
	a, err := h.h.asks(request{Op: "met", N: h.n})
	if err != nil || a.Met == nil {
		return Met{}, err
	}
	return *a.Met, nil
}

// Fate implements [Line].
func (h *helped) Fate(ctx context.Context) (Fate, error) {
	a, err := h.h.ask(ctx, request{Op: "fate", N: h.n})
	return a.Fate, err
}

// Close implements [Held] and [Line]. A helper that has ended has taken everything back.
func (h *helped) Close() error {
	_, err := h.h.asks(request{Op: "close", N: h.n})
	if errors.Is(err, errHelperEnded) {
		return nil
	}
	return err
}
