package child

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"

	"brunt/chaos/netns"
	"brunt/chaos/proxy"
	"brunt/chaos/rpc"
)

// What brunt asks of the process.
const (
	opControl  = "control"
	opStart    = "start"
	opClose    = "close"
	opAdd      = "add"
	opRemove   = "remove"
	opSeen     = "seen"
	opStatus   = "status"
	opBroken   = "broken"
	opCount    = "count"
	opProbe    = "probe"
	opLine     = "line"
	opExchange = "exchange"
	opHang     = "hang"
	opClear    = "clear"
)

// A Config configures a proxy of the process, as [proxy.Config] does.
type Config struct {
	Listen   string `json:"listen,omitempty"` // host:port; empty is 127.0.0.1:0
	Upstream string `json:"upstream"`         // host:port
	Seed     uint64 `json:"seed"`
	HTTP     bool   `json:"http,omitempty"`
}

// arguments are those of every operation, each of which reads its own.
type arguments struct {
	Config
	Proxy int                `json:"proxy,omitempty"`
	Toxic int                `json:"toxic,omitempty"`
	Line  int                `json:"line,omitempty"`
	Lease netns.Lease        `json:"lease,omitzero"`
	Add   wireToxic          `json:"add,omitzero"`
	Probe proxy.ProbeRequest `json:"probe,omitzero"`
	Space spaceArguments     `json:"space,omitzero"`
}

// made names what an operation made.
type made struct {
	N    int    `json:"n"`
	Addr string `json:"addr,omitempty"`
}

// probed is a result with its error as text.
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

// server is the process.
type server struct {
	token string
	addr  string
	only  *netns.Namespace // in which alone it acts; nil: in those that are entered
	wg    sync.WaitGroup

	effects effects

	mu      sync.Mutex
	last    int
	proxies map[int]*proxy.Proxy
	// by the numbers of their effects, also the last that were removed: what they affected is asked later
	toxics  map[int]proxy.Toxicity
	removed []int // the numbers of those, the oldest first
	lines   map[int]proxy.Line
	spaces  map[int]*space
	tables  map[int]*diversion
}

func newServer(token, addr string) *server {
	return &server{
		token: token, addr: addr, proxies: map[int]*proxy.Proxy{}, toxics: map[int]proxy.Toxicity{},
		lines:  map[int]proxy.Line{},
		spaces: map[int]*space{}, tables: map[int]*diversion{},
		effects: effects{in: map[int]*effect{}, cleared: map[string]bool{}},
	}
}

// Serve is the program of the process: it runs proxies as in asks, until in ends.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("the proxies: %w", err)
	}
	s := newServer(rand.Text(), l.Addr().String())
	s.wg.Go(func() { s.control(l) })
	err = (&rpc.Server{Do: s.do, Patient: true}).Serve(ctx, in, out)
	return errors.Join(err, l.Close(), s.end())
}

// ServeIn serves proxies in one namespace until in or ctx ends, or in is silent for ten seconds. It leaves nothing
// behind, and does not close the namespace. [Attach] speaks to it.
func ServeIn(ctx context.Context, n *netns.Namespace, in io.Reader, out io.Writer) error {
	s := newServer("", "")
	s.only = n
	err := rpc.Serve(ctx, in, out, s.do)
	if err != nil && ctx.Err() != nil { // the end was requested
		err = nil
	}
	return errors.Join(err, s.end())
}

// end removes everything: first what diverts connections, so that none comes to a proxy that is closed.
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

func (s *server) do(ctx context.Context, op string, args json.RawMessage) (any, error) {
	var a arguments
	if len(args) > 0 {
		if err := json.Unmarshal(args, &a); err != nil {
			return nil, err
		}
	}
	switch op {
	case opControl:
		return Control{s.addr, s.token}, nil
	case opStart:
		return s.start(a)
	case opRemove:
		return nil, s.remove(a.Toxic)
	case opClose:
		return nil, s.close(a.Proxy)
	case opClear:
		_, err := s.effects.clear(a.Lease.Key)
		return nil, err
	case opStatus, opSeen:
		t, err := find(s, s.toxics, a.Toxic)
		if err != nil {
			return nil, err
		}
		if op == opSeen {
			return t.Seen(), nil
		}
		status := t.Status(ctx)
		status.Lifted, err = s.effects.since(a.Toxic)
		return status, err
	case opExchange, opHang:
		l, err := find(s, s.lines, a.Line)
		if err != nil {
			return nil, err
		}
		if op == opExchange {
			return probedOf(l.RoundTrip(ctx)), nil
		}
		l.Close()
		drop(s, s.lines, a.Line)
		return nil, nil
	}
	if strings.HasPrefix(op, opSpace) {
		return s.inSpace(ctx, op, a.Lease, a.Space)
	}
	p, err := find(s, s.proxies, a.Proxy)
	if err != nil {
		return nil, err
	}
	switch op {
	case opAdd:
		return s.add(p, a)
	case opCount:
		return p.Stats().Connections, nil
	case opBroken:
		if err := p.Broken(ctx); err != nil {
			return err.Error(), nil
		}
		return "", nil
	case opProbe:
		r, err := p.Probe(ctx, a.Probe)
		return probedOf(r), err
	case opLine:
		l, err := p.Established(ctx)
		if err != nil {
			return nil, err
		}
		return made{N: keep(s, s.lines, l)}, nil
	}
	return nil, fmt.Errorf("no operation %q", op)
}

// find returns the thing with a number.
func find[T any](s *server, in map[int]T, n int) (T, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x, ok := in[n]
	if !ok {
		return x, fmt.Errorf("there is no number %d", n)
	}
	return x, nil
}

// keep gives a thing a number.
func keep[T any](s *server, in map[int]T, x T) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	in[s.last] = x
	return s.last
}

// drop forgets the thing with a number.
func drop[T any](s *server, in map[int]T, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(in, n)
}

// close closes a proxy, and forgets it. One that is closed already stays so.
func (s *server) close(n int) error {
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

// start starts a proxy: in a namespace, and spared by its diversion, where the arguments name one.
func (s *server) start(a arguments) (made, error) {
	c := proxy.Config{Listen: a.Listen, Upstream: func() string { return a.Upstream }, Seed: a.Seed, HTTP: a.HTTP}
	if a.Space.Table != 0 {
		in, err := find(s, s.spaces, a.Space.N)
		if err != nil {
			return made{}, err
		}
		table, err := find(s, s.tables, a.Space.Table)
		if err != nil {
			return made{}, err
		}
		c.InNamespace, c.Control = in.n.Do, table.Spare
	}
	p, err := proxy.Start(c)
	if err != nil {
		return made{}, err
	}
	return made{N: keep(s, s.proxies, p), Addr: p.Addr()}, nil
}

func (s *server) add(p *proxy.Proxy, a arguments) (any, error) {
	t, err := a.Add.decode()
	if err != nil {
		return nil, err
	}
	if s.effects.isCleared(a.Lease.Key) {
		return nil, errCleared
	}
	in, err := p.Add(t)
	if err != nil {
		return nil, err
	}
	n, err := s.effects.add(a.Lease, in.Remove)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.toxics[n] = in
	return made{N: n}, nil
}

// mostRemoved is how many toxics that were removed are kept: a run may have thousands.
const mostRemoved = 256

// remove removes a toxic, and forgets the oldest of those that were removed.
func (s *server) remove(n int) error {
	if err := s.effects.remove(n); err != nil {
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
		s.effects.forget(s.removed[0])
		s.removed = slices.Delete(s.removed, 0, 1)
	}
	return nil
}
