package child

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"

	"brunt/chaos/netns"
	"brunt/chaos/proxy"
	"brunt/chaos/rpc"
)

// The operations of the process that brunt calls.
const (
	opControl  rpc.Op[rpc.None, Control]     = "control"
	opStart    rpc.Op[startArgs, started]    = "start"
	opClose    rpc.Op[proxyN, rpc.None]      = "close"
	opAdd      rpc.Op[addArgs, toxicN]       = "add"
	opRemove   rpc.Op[toxicN, rpc.None]      = "remove"
	opSeen     rpc.Op[toxicN, proxy.Traffic] = "seen"
	opStatus   rpc.Op[toxicN, proxy.Status]  = "status"
	opBroken   rpc.Op[proxyN, string]        = "broken"
	opTraffic  rpc.Op[proxyN, proxy.Traffic] = "traffic"
	opProbe    rpc.Op[probeArgs, probed]     = "probe"
	opLine     rpc.Op[proxyN, lineN]         = "line"
	opExchange rpc.Op[lineN, probed]         = "exchange"
	opHang     rpc.Op[lineN, rpc.None]       = "hang"
	opClear    rpc.Op[string, rpc.None]      = "clear" // by the key of a lease
)

// The numbers of things that the process holds.
type (
	proxyN int
	toxicN int
	lineN  int
	spaceN int
	tableN int
)

// A Config configures a proxy of the process, as [proxy.Config] does.
type Config struct {
	Listen   string `json:"listen,omitempty"` // host:port; empty is 127.0.0.1:0
	Upstream string `json:"upstream"`         // host:port
	Seed     uint64 `json:"seed"`
	HTTP     bool   `json:"http,omitempty"`
	// it relays datagrams of UDP too, at the same port
	Datagrams bool `json:"datagrams,omitempty"`
}

type (
	// startArgs are the arguments to start a proxy: in a namespace, and spared by its diversion, if these are not zero.
	startArgs struct {
		Config
		Space spaceN `json:"space,omitempty"`
		Table tableN `json:"table,omitempty"`
	}

	addArgs struct {
		Proxy proxyN      `json:"proxy"`
		Lease netns.Lease `json:"lease,omitzero"`
		Toxic wireToxic   `json:"toxic"`
	}

	probeArgs struct {
		Proxy proxyN             `json:"proxy"`
		Probe proxy.ProbeRequest `json:"probe"`
	}

	started struct {
		N    proxyN `json:"n"`
		Addr string `json:"addr"`
	}
)

// probed is the result of a probe, with its error as text.
type probed struct {
	proxy.ProbeResult
	Err string `json:"Err,omitempty"`
}

func probedOf(r proxy.ProbeResult) probed {
	p := probed{ProbeResult: r}
	if r.Err != nil {
		p.Err = r.Err.Error()
	}
	p.ProbeResult.Err = nil
	return p
}

func (p probed) result() proxy.ProbeResult {
	if p.Err != "" {
		p.ProbeResult.Err = errors.New(p.Err)
	}
	return p.ProbeResult
}

// server is the state of the process.
type server struct {
	token string
	addr  string
	only  *netns.Namespace // the only namespace in which it acts; nil: those that are entered
	wg    sync.WaitGroup

	effects effects

	mu      sync.Mutex
	last    int
	proxies map[proxyN]*proxy.Proxy
	// by the numbers of their effects, with the last ones that were removed: their counts are read later
	toxics  map[toxicN]proxy.Toxicity
	removed []toxicN // numbers of the removed ones, the oldest first
	lines   map[lineN]proxy.Line
	spaces  map[spaceN]*space
	tables  map[tableN]*diversion
}

func newServer(token, addr string) *server {
	return &server{
		token: token, addr: addr, proxies: map[proxyN]*proxy.Proxy{}, toxics: map[toxicN]proxy.Toxicity{},
		lines:  map[lineN]proxy.Line{},
		spaces: map[spaceN]*space{}, tables: map[tableN]*diversion{},
		effects: effects{in: map[int]*effect{}, cleared: map[string]bool{}},
	}
}

// Serve is the program of the process: it runs proxies as requests from in ask, until in ends.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("the proxies: %w", err)
	}
	s := newServer(rand.Text(), l.Addr().String())
	s.wg.Go(func() { s.control(l) })
	err = (&rpc.Server{Operations: s.operations(), Patient: true}).Serve(ctx, in, out)
	return errors.Join(err, l.Close(), s.end())
}

// ServeIn serves proxies in one namespace until in or ctx ends, or in is silent for ten seconds. It leaves nothing
// behind, and does not close the namespace. [Attach] speaks to it.
func ServeIn(ctx context.Context, n *netns.Namespace, in io.Reader, out io.Writer) error {
	s := newServer("", "")
	s.only = n
	err := rpc.Serve(ctx, in, out, s.operations())
	if err != nil && ctx.Err() != nil { // the end was requested
		err = nil
	}
	return errors.Join(err, s.end())
}

// end removes everything, diversions first, so that no connection comes to a closed proxy.
func (s *server) end() error {
	s.effects.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for _, t := range s.tables {
		errs = append(errs, t.Close())
	}
	for _, x := range s.spaces {
		errs = append(errs, x.leave())
	}
	for _, p := range s.proxies {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}

// operations returns all operations of the process.
func (s *server) operations() rpc.Operations {
	return rpc.Join(s.onProxies(), s.onToxics(), s.onLines(), s.inSpaces(),
		opControl.By(func(context.Context, rpc.None) (Control, error) { return Control{s.addr, s.token}, nil }),
		opClear.By(func(_ context.Context, key string) (rpc.None, error) {
			_, err := s.effects.clear(key)
			return rpc.None{}, err
		}),
	)
}

func (s *server) onProxies() rpc.Operations {
	return rpc.Join(
		opStart.By(func(_ context.Context, a startArgs) (started, error) { return s.start(a) }),
		opClose.By(func(_ context.Context, n proxyN) (rpc.None, error) { return rpc.None{}, s.close(n) }),
		on(s, opTraffic, s.proxies, func(ctx context.Context, p *proxy.Proxy, _ proxyN) (proxy.Traffic, error) {
			return p.Traffic(ctx)
		}),
		on(s, opBroken, s.proxies, func(ctx context.Context, p *proxy.Proxy, _ proxyN) (string, error) {
			if err := p.Broken(ctx); err != nil {
				return err.Error(), nil
			}
			return "", nil
		}),
		opProbe.By(func(ctx context.Context, a probeArgs) (probed, error) {
			p, err := find(s, s.proxies, a.Proxy)
			if err != nil {
				return probed{}, err
			}
			r, err := p.Probe(ctx, a.Probe)
			return probedOf(r), err
		}),
	)
}

func (s *server) onToxics() rpc.Operations {
	return rpc.Join(
		opAdd.By(func(_ context.Context, a addArgs) (toxicN, error) { return s.add(a) }),
		opRemove.By(func(_ context.Context, n toxicN) (rpc.None, error) { return rpc.None{}, s.remove(n) }),
		on(s, opSeen, s.toxics, func(_ context.Context, t proxy.Toxicity, _ toxicN) (proxy.Traffic, error) {
			return t.Seen(), nil
		}),
		on(s, opStatus, s.toxics, func(ctx context.Context, t proxy.Toxicity, n toxicN) (status proxy.Status, err error) {
			status = t.Status(ctx)
			status.Lifted, err = s.effects.since(int(n))
			return status, err
		}),
	)
}

func (s *server) onLines() rpc.Operations {
	return rpc.Join(
		on(s, opLine, s.proxies, func(ctx context.Context, p *proxy.Proxy, _ proxyN) (lineN, error) {
			l, err := p.Established(ctx)
			if err != nil {
				return 0, err
			}
			return keep(s, s.lines, l), nil
		}),
		on(s, opExchange, s.lines, func(ctx context.Context, l proxy.Line, _ lineN) (probed, error) {
			return probedOf(l.RoundTrip(ctx)), nil
		}),
		on(s, opHang, s.lines, func(_ context.Context, l proxy.Line, n lineN) (rpc.None, error) {
			l.Close()
			drop(s, s.lines, n)
			return rpc.None{}, nil
		}),
	)
}

// on returns an operation on the thing whose number the caller gives.
func on[N ~int, T, R any](
	s *server, op rpc.Op[N, R], in map[N]T, do func(ctx context.Context, thing T, n N) (R, error),
) rpc.Operations {
	return op.By(func(ctx context.Context, n N) (r R, err error) {
		thing, err := find(s, in, n)
		if err != nil {
			return r, err
		}
		return do(ctx, thing, n)
	})
}

// find returns the thing with a number.
func find[N ~int, T any](s *server, in map[N]T, n N) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := in[n]
	if !ok {
		return x, fmt.Errorf("there is no number %d", n)
	}
	return x, nil
}

// keep gives a thing a number.
func keep[N ~int, T any](s *server, in map[N]T, x T) N {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	in[N(s.last)] = x
	return N(s.last)
}

// drop forgets the thing with a number.
func drop[N ~int, T any](s *server, in map[N]T, n N) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(in, n)
}

// close closes a proxy, and forgets it. It does nothing if the proxy is closed already.
func (s *server) close(n proxyN) error {
	p, err := find(s, s.proxies, n)
	if err != nil {
		return nil
	}
	if err := p.Close(); err != nil {
		return err
	}
	drop(s, s.proxies, n)
	return nil
}

// start starts a proxy.
func (s *server) start(a startArgs) (started, error) {
	c := proxy.Config{
		Listen: a.Listen, Upstream: func() string { return a.Upstream }, Seed: a.Seed, HTTP: a.HTTP, Datagrams: a.Datagrams,
	}
	if a.Table != 0 {
		in, err := find(s, s.spaces, a.Space)
		if err != nil {
			return started{}, err
		}
		table, err := find(s, s.tables, a.Table)
		if err != nil {
			return started{}, err
		}
		c.InNamespace, c.Control = in.n.Do, table.Spare
	}
	p, err := proxy.Start(c)
	if err != nil {
		return started{}, err
	}
	return started{keep(s, s.proxies, p), p.Addr()}, nil
}

func (s *server) add(a addArgs) (toxicN, error) {
	p, err := find(s, s.proxies, a.Proxy)
	if err != nil {
		return 0, err
	}
	t, err := a.Toxic.decode()
	if err != nil {
		return 0, err
	}
	if s.effects.isCleared(a.Lease.Key) {
		return 0, errCleared
	}
	in, err := p.Add(t)
	if err != nil {
		return 0, err
	}
	n, err := s.effects.add(a.Lease, in.Remove)
	if err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.toxics[toxicN(n)] = in
	return toxicN(n), nil
}

// mostRemoved is the number of removed toxics that are kept: a run may have thousands.
const mostRemoved = 256

// remove removes a toxic, and forgets the oldest of the removed ones.
func (s *server) remove(n toxicN) error {
	if err := s.effects.remove(int(n)); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(s.removed, n) {
		return nil
	}
	s.removed = append(s.removed, n)
	for len(s.removed) > mostRemoved {
		delete(s.toxics, s.removed[0])
		s.effects.forget(int(s.removed[0]))
		s.removed = slices.Delete(s.removed, 0, 1)
	}
	return nil
}
