package child

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

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
	opProbe    = "probe"
	opLine     = "line"
	opExchange = "exchange"
	opHang     = "hang"
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
	Key   string             `json:"key,omitempty"`
	Add   wireToxic          `json:"add,omitzero"`
	Probe proxy.ProbeRequest `json:"probe,omitzero"`
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
	wg    sync.WaitGroup

	mu      sync.Mutex
	last    int
	proxies map[int]*proxy.Proxy
	toxics  map[int]put // also those that were removed: what they affected is asked later
	lines   map[int]proxy.Line
	cleared map[string]bool
}

// put is a toxic that was added.
type put struct {
	proxy.Toxicity
	key string
}

// Serve is the program of the process: it runs proxies as in asks, until in ends.
func Serve(ctx context.Context, in io.Reader, out io.Writer) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("the proxies: %w", err)
	}
	s := &server{
		token: rand.Text(), addr: l.Addr().String(), proxies: map[int]*proxy.Proxy{}, toxics: map[int]put{}, lines: map[int]proxy.Line{},
		cleared: map[string]bool{},
	}
	s.wg.Go(func() { s.control(l) })
	err = (&rpc.Server{Do: s.do, Patient: true}).Serve(ctx, in, out)
	errs := []error{err, l.Close()}
	s.mu.Lock()
	defer s.mu.Unlock()
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
		return s.start(a.Config)
	case opRemove, opSeen:
		t, err := find(s, s.toxics, a.Toxic)
		if err != nil {
			return nil, err
		}
		if op == opSeen {
			return t.Seen(), nil
		}
		return nil, t.Remove()
	case opExchange, opHang:
		l, err := find(s, s.lines, a.Line)
		if err != nil {
			return nil, err
		}
		if op == opExchange {
			return probedOf(l.RoundTrip(ctx)), nil
		}
		l.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.lines, a.Line)
		return nil, nil
	}
	p, err := find(s, s.proxies, a.Proxy)
	if err != nil {
		return nil, err
	}
	switch op {
	case opAdd:
		return s.add(p, a)
	case opProbe:
		r, err := p.Probe(ctx, a.Probe)
		return probedOf(r), err
	case opLine:
		l, err := p.Established(ctx)
		if err != nil {
			return nil, err
		}
		return made{N: keep(s, s.lines, l)}, nil
	case opClose:
		return nil, p.Close()
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

func (s *server) start(c Config) (made, error) {
	p, err := proxy.Start(proxy.Config{Listen: c.Listen, Upstream: func() string { return c.Upstream }, Seed: c.Seed, HTTP: c.HTTP})
	if err != nil {
		return made{}, err
	}
	return made{N: keep(s, s.proxies, p), Addr: p.Addr()}, nil
}

// errCleared refuses a toxic that the watchdog has taken back before it was there.
var errCleared = errors.New("the watchdog has taken it back already")

func (s *server) isCleared(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cleared[key]
}

func (s *server) add(p *proxy.Proxy, a arguments) (any, error) {
	t, err := a.Add.decode()
	if err != nil {
		return nil, err
	}
	if s.isCleared(a.Key) {
		return nil, errCleared
	}
	in, err := p.Add(t)
	if err != nil {
		return nil, err
	}
	n := keep(s, s.toxics, put{in, a.Key})
	if s.isCleared(a.Key) { // meanwhile
		return nil, errors.Join(errCleared, in.Remove())
	}
	return made{N: n}, nil
}

// clear removes the toxics of a key.
func (s *server) clear(key string) (removed int, err error) {
	s.mu.Lock()
	s.cleared[key] = true
	var of []put
	for _, t := range s.toxics {
		if t.key == key {
			of = append(of, t)
		}
	}
	s.mu.Unlock()
	var errs []error
	for _, t := range of {
		errs = append(errs, t.Remove())
	}
	return len(of), errors.Join(errs...)
}
