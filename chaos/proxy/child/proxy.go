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
	n    proxyN
	addr string

	mu     sync.Mutex
	toxics []*toxicity
}

// Proxy starts a proxy.
func (p *Process) Proxy(ctx context.Context, c Config) (*Proxy, error) {
	return p.proxy(ctx, startArgs{Config: c})
}

func (p *Process) proxy(ctx context.Context, a startArgs) (*Proxy, error) {
	is, err := opStart.Of(ctx, p.call, a)
	if err != nil {
		return nil, err
	}
	return &Proxy{p: p, n: is.N, addr: is.Addr}, nil
}

// Process is the process of the proxy.
func (x *Proxy) Process() *Process { return x.p }

// Addr returns the host:port where the proxy listens.
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

// AddUnder adds a toxic with a lease; [Control.Clear] removes the toxic by the key of the lease. After an error no
// toxic is active under the key, and none can follow: a process that does not ensure that is killed.
func (x *Proxy) AddUnder(l netns.Lease, t proxy.Toxic) (proxy.Toxicity, error) {
	add, err := encode(t)
	if err != nil {
		return nil, err
	}
	in := &toxicity{x: x, is: t}
	if !t.Begin().Once {
		x.list(in) // listed before it can be on the link
	}
	if in.n, err = opAdd.Of(context.Background(), x.p.call, addArgs{x.n, l, add}); err != nil {
		x.p.forget(l.Key, err)
		x.strike(in)
		return nil, err
	}
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
	r, err := opProbe.Of(ctx, x.p.ask, probeArgs{x.n, q})
	if err != nil {
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

// Traffic returns the traffic that passed the proxy, see [proxy.Proxy.Stats].
func (x *Proxy) Traffic(ctx context.Context) (t proxy.Traffic, err error) {
	t, err = opTraffic.Of(ctx, x.p.ask, x.n)
	return t, x.ended(err)
}

// Broken returns the first failure of the proxy itself while there was no toxic. It is nil if the process does not
// answer.
func (x *Proxy) Broken(ctx context.Context) error {
	text, err := opBroken.Of(ctx, x.p.ask, x.n)
	if err != nil || text == "" {
		return nil
	}
	return errors.New(text)
}

// Established opens a connection and checks that it works. It closes a connection that opened only after ctx ended.
func (x *Proxy) Established(ctx context.Context) (proxy.Line, error) {
	ctx, cancel := bounded(ctx)
	defer cancel()
	var n lineN
	opened := make(chan error)
	x.p.late.Go(func() {
		var err error
		n, err = opLine.Of(ctx, x.p.call, x.n)
		select {
		case opened <- err:
		case <-ctx.Done():
			if err == nil {
				(&line{x.p, n}).Close()
			}
		}
	})
	select {
	case err := <-opened:
		if err != nil {
			return nil, x.ended(err)
		}
		return &line{x.p, n}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close ends the listener and all connections. If the process has ended, they are closed already.
func (x *Proxy) Close() error {
	_, err := opClose.Of(context.Background(), x.p.call, x.n)
	return unlessEnded(err)
}

// toxicity is a toxic on a proxy.
type toxicity struct {
	x  *Proxy
	n  toxicN
	is proxy.Toxic

	mu      sync.Mutex
	seen    proxy.Traffic // the last answer of the process
	unknown bool          // the process did not answer when it was asked last
}

// Seen implements [proxy.Toxicity]. If the process does not answer, it returns the last answer, see [Unknown].
func (t *toxicity) Seen() proxy.Traffic {
	seen, err := opSeen.Of(context.Background(), t.x.p.call, t.n)
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.unknown = err != nil; !t.unknown {
		t.seen = seen
	}
	return t.seen
}

// Unknown reports whether the process of a toxic did not answer when [proxy.Toxicity.Seen] was called last.
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
	s, _ = opStatus.Of(ctx, t.x.p.ask, t.n)
	return s
}

// Remove implements [proxy.Toxicity]. If the process has ended, there is no toxic any more.
func (t *toxicity) Remove() error {
	_, err := opRemove.Of(context.Background(), t.x.p.call, t.n)
	if err = unlessEnded(err); err != nil {
		return err
	}
	t.x.strike(t)
	return nil
}

// line is a connection of a probe.
type line struct {
	p *Process
	n lineN
}

func (l *line) RoundTrip(ctx context.Context) proxy.ProbeResult {
	r, err := opExchange.Of(ctx, l.p.ask, l.n)
	if err != nil {
		return proxy.ProbeResult{Err: err, Outcome: proxy.Failed}
	}
	return r.result()
}

func (l *line) Close() { _, _ = opHang.Of(context.Background(), l.p.call, l.n) }
