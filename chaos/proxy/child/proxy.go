package child

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"

	"brunt/chaos/netns"
	"brunt/chaos/proxy"
	"brunt/chaos/rpc"
)

// A Proxy is a proxy of a [Process]. Its methods are those of [proxy.Proxy].
type Proxy struct {
	p    *Process
	n    int
	addr string

	mu     sync.Mutex
	toxics []*toxicity
}

// Proxy starts a proxy.
func (p *Process) Proxy(ctx context.Context, c Config) (*Proxy, error) {
	return p.proxy(ctx, arguments{Config: c})
}

func (p *Process) proxy(ctx context.Context, a arguments) (*Proxy, error) {
	var is made
	if err := p.call(ctx, opStart, a, &is); err != nil {
		return nil, err
	}
	return &Proxy{p: p, n: is.N, addr: is.Addr}, nil
}

// Process is the process of the proxy.
func (x *Proxy) Process() *Process { return x.p }

// Addr is the host:port where the proxy listens.
func (x *Proxy) Addr() string { return x.addr }

// Toxics returns the active toxics in the order in which they were added.
func (x *Proxy) Toxics() []proxy.Toxic {
	x.mu.Lock()
	defer x.mu.Unlock()
	var out []proxy.Toxic
	for _, t := range x.toxics {
		out = append(out, t.is)
	}
	return out
}

// Add adds a toxic under a key of its own.
func (x *Proxy) Add(t proxy.Toxic) (proxy.Toxicity, error) {
	return x.AddUnder(netns.Lease{Key: rand.Text()}, t)
}

// AddUnder adds a toxic with a lease, by whose key [Control.Clear] takes it off. After an error there is none under the
// key, and none can come: a process that does not see to that is ended.
func (x *Proxy) AddUnder(l netns.Lease, t proxy.Toxic) (proxy.Toxicity, error) {
	add, err := encode(t)
	if err != nil {
		return nil, err
	}
	in := &toxicity{x: x, is: t}
	if !t.Begin().Once {
		x.list(in) // before it can be on the link
	}
	var is made
	if err := x.p.call(context.Background(), opAdd, arguments{Proxy: x.n, Lease: l, Add: add}, &is); err != nil {
		x.p.forget(l.Key, err)
		x.strike(in)
		return nil, err
	}
	in.n = is.N
	return in, nil
}

func (x *Proxy) list(t *toxicity) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.toxics = append(x.toxics, t)
}

func (x *Proxy) strike(t *toxicity) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.toxics = slices.DeleteFunc(x.toxics, func(o *toxicity) bool { return o == t })
}

// Probe measures the proxy from a client's side, in the process of the proxy.
func (x *Proxy) Probe(ctx context.Context, q proxy.ProbeRequest) (proxy.ProbeResult, error) {
	var r probed
	if err := x.p.ask(ctx, opProbe, arguments{Proxy: x.n, Probe: q}, &r); err != nil {
		return proxy.ProbeResult{}, x.ended(err)
	}
	return r.result(), nil
}

// ErrEnded says that the process of a proxy has ended, and the proxy's faults with it.
var ErrEnded = errors.New("the process of the proxy has ended")

func (x *Proxy) ended(err error) error {
	if errors.Is(err, rpc.ErrEnded) {
		return fmt.Errorf("%w: %w", ErrEnded, err)
	}
	return err
}

// Connections returns how many connections the proxy has accepted.
func (x *Proxy) Connections(ctx context.Context) (n int64, err error) {
	err = x.p.ask(ctx, opCount, arguments{Proxy: x.n}, &n)
	return n, x.ended(err)
}

// Broken returns how a codec of the proxy first failed while there was no toxic. It is nil where the process
// does not say.
func (x *Proxy) Broken(ctx context.Context) error {
	var text string
	if err := x.p.ask(ctx, opBroken, arguments{Proxy: x.n}, &text); err != nil || text == "" {
		return nil
	}
	return errors.New(text)
}

// Established opens a connection and checks that it works. A connection that is open when ctx has ended is closed.
func (x *Proxy) Established(ctx context.Context) (proxy.Line, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	var is made
	opened := make(chan error)
	x.p.late.Go(func() {
		err := x.p.call(ctx, opLine, arguments{Proxy: x.n}, &is)
		select {
		case opened <- err:
		case <-ctx.Done():
			if err == nil {
				(&line{x.p, is.N}).Close()
			}
		}
	})
	select {
	case err := <-opened:
		if err != nil {
			return nil, x.ended(err)
		}
		return &line{x.p, is.N}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close ends the listener and all connections. A process that has ended has closed them.
func (x *Proxy) Close() error {
	return unlessEnded(x.p.call(context.Background(), opClose, arguments{Proxy: x.n}, nil))
}

// toxicity is a toxic on a proxy.
type toxicity struct {
	x  *Proxy
	n  int
	is proxy.Toxic

	mu      sync.Mutex
	seen    proxy.Traffic // what the process said last
	unknown bool          // it did not say it when it was asked last
}

// Seen implements [proxy.Toxicity]. Where the process does not say, it is what the process said last, see [Unknown].
func (t *toxicity) Seen() proxy.Traffic {
	var seen proxy.Traffic
	err := t.x.p.call(context.Background(), opSeen, arguments{Toxic: t.n}, &seen)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.unknown = err != nil; !t.unknown {
		t.seen = seen
	}
	return t.seen
}

// Unknown tells whether the process of a toxic did not say what [proxy.Toxicity.Seen] returned last.
func Unknown(in proxy.Toxicity) bool {
	t, ok := in.(*toxicity)
	if !ok {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.unknown
}

// Status implements [proxy.Toxicity].
func (t *toxicity) Status(ctx context.Context) (s proxy.Status) {
	_ = t.x.p.ask(ctx, opStatus, arguments{Toxic: t.n}, &s)
	return s
}

// Remove implements [proxy.Toxicity]. A process that has ended has no toxic.
func (t *toxicity) Remove() error {
	if err := unlessEnded(t.x.p.call(context.Background(), opRemove, arguments{Toxic: t.n}, nil)); err != nil {
		return err
	}
	t.x.strike(t)
	return nil
}

// line is a connection of a probe.
type line struct {
	p *Process
	n int
}

func (l *line) RoundTrip(ctx context.Context) proxy.ProbeResult {
	var r probed
	if err := l.p.ask(ctx, opExchange, arguments{Line: l.n}, &r); err != nil {
		return proxy.ProbeResult{Err: err, Outcome: proxy.Failed}
	}
	return r.result()
}

func (l *line) Close() { _ = l.p.call(context.Background(), opHang, arguments{Line: l.n}, nil) }
