//go:build unix

package chaos_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/chaostest"
	"brunt/chaos/proxy"
	"brunt/chaos/stress"
	"brunt/scenarios/suite"
)

// TestMain lets the test binary run as the system under test, and as a stress process.
func TestMain(m *testing.M) {
	if signal.Ignored(syscall.SIGHUP) { // as under nohup: units must not inherit that
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
	if len(os.Args) == 2 && os.Args[1] == "burn" {
		if err := stress.Run(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) > 2 && os.Args[1] == "serve" {
		if slices.Contains(os.Args[3:], "stubborn") {
			signal.Ignore(syscall.SIGTERM)
		}
		l, err := net.Listen("tcp", os.Args[2])
		for err != nil { // the previous process may still be ending
			time.Sleep(time.Millisecond) // backs off
			l, err = net.Listen("tcp", os.Args[2])
		}
		fmt.Print("!") // signals that it is ready
		_ = http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }))
		return
	}
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil { // most of the time is waiting
		panic(err)
	}
	os.Exit(suite.Loading(m).Run())
}

// unit is a process that is restarted when it ends, like one that brunt starts.
type unit struct {
	name, addr string
	args       []string
	wrap       []string // a command that does its own part and then executes the process
	inert      bool     // Stop and Start do nothing
	polite     bool     // Stop sends SIGTERM first
	bare       bool     // ready once its port accepts connections

	mu     sync.Mutex
	cmd    *exec.Cmd
	ended  chan struct{} // closed when cmd has ended and was handled
	wanted bool
	ends   []syscall.Signal // signals that ended its processes
	over   sync.WaitGroup
}

func newUnit(t *testing.T, name string, args ...string) *unit {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	u := &unit{name: name, addr: l.Addr().String(), args: args}
	_ = l.Close()
	u.begin(t)
	return u
}

// begin starts the unit and waits until it is ready.
func (u *unit) begin(t *testing.T) {
	t.Helper()
	if err := u.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		u.mu.Lock()
		u.inert = false
		u.mu.Unlock()
		if err := u.Stop(context.Background(), 0); err != nil {
			t.Error(err)
		}
		u.over.Wait()
	})
	suite.Until(t, "the unit to become ready", func() bool { return u.Ready(t.Context()) == nil })
}

func (u *unit) Name() string     { return u.name + "[0]" }
func (u *unit) Service() string  { return u.name }
func (u *unit) Supervised() bool { return true }

func (u *unit) PID() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.cmd == nil {
		return 0
	}
	return u.cmd.Process.Pid
}

func (u *unit) Ready(ctx context.Context) error {
	if u.PID() == 0 {
		return errors.New("it does not run")
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if u.bare {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", u.addr)
		if err != nil {
			return err
		}
		return c.Close()
	}
	return u.Ask(ctx)
}

func (u *unit) Traits() chaos.UnitTraits { return chaos.UnitTraits{Ask: u.Ask} }

// Ask asks for one answer.
func (u *unit) Ask(ctx context.Context) error {
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+u.addr, nil)
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := c.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func (u *unit) Start(context.Context) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.wanted || u.inert {
		return nil
	}
	u.wanted = true
	return u.spawn()
}

func (u *unit) spawn() error {
	cmd := exec.Command(os.Args[0], append([]string{"serve", u.addr}, u.args...)...)
	if u.wrap != nil {
		cmd = exec.Command(u.wrap[0], slices.Concat(u.wrap[1:], cmd.Args)...)
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	u.cmd, u.ended = cmd, make(chan struct{})
	ended := u.ended
	u.over.Go(func() {
		defer close(ended)
		_ = cmd.Wait()
		u.mu.Lock()
		defer u.mu.Unlock()
		u.cmd = nil
		u.ends = append(u.ends, cmd.ProcessState.Sys().(syscall.WaitStatus).Signal())
		if u.wanted {
			_ = u.spawn()
		}
	})
	return nil
}

// signals returns the signals that ended the unit's processes.
func (u *unit) signals() []syscall.Signal {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.ends)
}

func (u *unit) Stop(_ context.Context, grace time.Duration) error {
	u.mu.Lock()
	if u.inert || u.cmd == nil {
		u.wanted = u.inert
		u.mu.Unlock()
		return nil
	}
	u.wanted = false
	cmd, ended := u.cmd, u.ended
	u.mu.Unlock()
	if u.polite {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-ended:
			return nil
		case <-time.After(grace):
		}
	}
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	<-ended
	return nil
}

func clock() func() time.Duration {
	began := time.Now()
	return func() time.Duration { return time.Since(began) }
}

// process is a world of one process.
func process(args ...string) func(t *testing.T, effective bool) chaostest.World {
	return func(t *testing.T, effective bool) chaostest.World {
		how := args
		if effective {
			how = nil
		}
		u := newUnit(t, "web", how...)
		w := chaostest.World{
			Scope: chaos.Scope{Services: map[string]int{"web": 1}},
			Env:   chaos.Env{Targets: chaos.Targets{Units: []chaos.Unit{u}}, Occurrence: chaos.Occurrence{Now: clock()}},
		}
		if !effective {
			u.inert = true
			w.Spoil = func() { _ = syscall.Kill(u.PID(), syscall.SIGCONT) }
			w.Undoes = slices.Contains(how, "continued")
		}
		return w
	}
}

// bare is a world of one process whose readiness check is a connection. Without effect, something else continues it.
func bare(t *testing.T, effective bool) chaostest.World {
	w := process("continued")(t, effective)
	w.Env.Targets.Units[0].(*unit).bare = true
	return w
}

// link is a world of one link with a server behind it.
func link(http bool) func(t *testing.T, effective bool) chaostest.World {
	return func(t *testing.T, effective bool) chaostest.World {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		p, err := proxy.Start(proxy.Config{
			Upstream: func() string { return l.Addr().String() }, Seed: 1, HTTP: http, Ineffective: !effective,
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.Close() })
		return linkWorld(p)
	}
}

// linkWorld has one link, through a proxy.
func linkWorld(p *proxy.Proxy) chaostest.World {
	return chaostest.World{
		Scope: chaos.Scope{
			Services: map[string]int{"web": 1, "store": 1},
			Edges:    []chaos.EdgeName{{From: "web", To: "store"}},
		},
		Env: chaos.Env{
			Targets:    chaos.Targets{Links: []*chaos.Link{{From: "web[0]", To: "store[0]", Proxy: p}}},
			Occurrence: chaos.Occurrence{Now: clock()},
		},
	}
}

// datagrams is a world of one link on which the load sends datagrams.
func datagrams(t *testing.T, effective bool) chaostest.World {
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	at := c.LocalAddr().String()
	p, err := proxy.Start(proxy.Config{
		Upstream: func() string { return at }, Seed: 1, Datagrams: true, Ineffective: !effective,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return chaostest.World{
		Scope: chaos.Scope{
			Edges:     []chaos.EdgeName{{From: chaos.LoadName, To: "names"}},
			Endpoints: []chaos.Endpoint{{Name: "names", Addr: at, Datagrams: true}},
		},
		Env: chaos.Env{
			Targets:    chaos.Targets{Links: []*chaos.Link{{From: chaos.LoadName, To: "names", Proxy: p, Datagrams: true}}},
			Occurrence: chaos.Occurrence{Now: clock()},
		},
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		yaml  string
		world func(t *testing.T, effective bool) chaostest.World
	}{
		{"process.crash: {service: web}", process()},
		{"process.crash: {service: web, signal: TERM}", process("stubborn")},
		{"process.freeze: {unit: \"web[0]\"}", process("continued")},
		{"process.freeze: {service: web}", bare},
		{"process.stop: {service: web, grace: 50ms}", process()},
		{"process.restart: {service: web, grace: 50ms}", process()},
		{"network.latency: {from: web, to: store, delay: 150ms, jitter: 30ms}", link(false)},
		{"network.latency: {from: web, to: store, delay: 100ms, direction: both}", link(false)},
		{"network.latency: {from: web, to: store, delay: 400ms, jitter: 400ms, correlation: 90%}", link(false)},
		{"network.latency: {from: web, to: store, delay: 2s}", link(false)},
		{"network.latency: {service: store, delay: 150ms, direction: response}", link(false)},
		{"network.bandwidth: {from: web, to: store, rate: 10Mbit/s}", link(false)},
		{"network.bandwidth: {from: web, to: store, rate: 64KiB/s, direction: response}", link(false)},
		{"network.loss: {from: load, to: names, percent: 20%}", datagrams},
		{"network.loss: {from: load, to: names, percent: 100%, direction: response}", datagrams},
		{"network.duplicate: {from: load, to: names, percent: 30%}", datagrams},
		{"network.corrupt: {from: load, to: names, percent: 30%}", datagrams},
		{"network.reorder: {from: load, to: names, percent: 30%}", datagrams},
		{"network.latency: {from: load, to: names, delay: 150ms, jitter: 30ms}", datagrams},
		{"network.bandwidth: {from: load, to: names, rate: 64KiB/s}", datagrams},
		{"network.blackhole: {from: load, to: names}", datagrams},
		{"network.partition: {from: load, to: names}", datagrams},
		{"network.stall: {from: web, to: store}", link(false)},
		{"network.blackhole: {to: store}", link(false)},
		{"network.reset: {from: web}", link(false)},
		{"network.partition: {from: web, to: store}", link(false)},
		{"network.partition: {from: web, to: store, existing: keep, direction: one-way}", link(false)},
		{"network.partition: {from: web, to: store, mode: reject}", link(false)},
		{"network.partition: {from: web, to: store, mode: reject, existing: keep}", link(false)},
		{"network.partition: {from: web, to: store, mode: reset}", link(false)},
		{"tcp.slow_close: {from: web, to: store, delay: 100ms}", link(false)},
		{"tcp.slow_close: {from: web, to: store, delay: 100ms, direction: request}", link(true)},
		{"tcp.slow_close: {service: store, delay: 150ms, direction: response, percent: 20%}", link(false)},
		{"tcp.slow_close: {from: web, to: store, delay: 2s}", link(false)},
		{"tcp.limit: {from: web, to: store, bytes: 1}", link(false)},
		{"tcp.limit: {from: web, to: store, bytes: 10KiB, direction: request}", link(true)},
		{"tcp.limit: {from: web, to: store, bytes: 1MiB, direction: both}", link(false)},
		{"tcp.limit: {from: web, to: store, bytes: 16MiB, percent: 50%}", link(false)},
		{"tcp.limit: {from: web, to: store, bytes: 100, percent: 1%}", link(true)},
		{"tcp.slicer: {from: web, to: store, size: 64, variation: 32, delay: 1ms}", link(false)},
		{"tcp.slicer: {from: web, to: store, size: 1, delay: 50us, direction: response}", link(true)},
		{"tcp.slicer: {from: web, to: store, size: 16KiB, delay: 5ms, direction: request, percent: 30%}", link(false)},
		{"tcp.slicer: {from: web, to: store, size: 10, delay: 1s}", link(false)},
		{"http.error: {from: web, to: store}", link(true)},
		{
			"http.error: {from: web, to: store, status: 429, percent: 10%, path: /posts/*, headers: {Retry-After: 1}}",
			link(true),
		},
		{"http.error: {from: web, to: store, status: 204}", link(true)},
		{"http.error: {from: web, to: store, percent: 2%, path: \"/a b/*\"}", link(true)},
		{"http.error: {from: web, to: store, percent: 0.5%, path: \"/a b/*\"}", link(true)},
		{"http.rewrite: {from: web, to: store, answer: {status: 200}}", link(true)},
		{"http.rewrite: {from: web, to: store, percent: 20%, path: /v1/*, request: {headers: {X-Tenant: evil, Cookie: " +
			"null, Host: other}, path: \"~ " +
			"^/v1/users/([0-9]+) -> /v0/people/$1\"}, answer: {status: 500, headers: {Content-Type: text/html, Server: " +
			"null}, body: \"<p>no</p>\"}}", link(true)},
		{"http.rewrite: {from: web, to: store, method: POST, request: {body: \"{}\"}}", link(true)},
		{"http.rewrite: {from: web, to: store, method: HEAD, answer: {status: 204, headers: {Content-Encoding: null}, " +
			"body: x}}", link(true)},
		{"http.rewrite: {service: store, path: \"/a b/*\", request: {path: /c d}}", link(true)},
		{"http.delay: {from: web, to: store, delay: 150ms}", link(true)},
		{"grpc.error: {from: web, to: store}", link(true)},
		{
			"grpc.error: {from: web, to: store, status: NOT_FOUND, message: gone, percent: 10%, method: shop.Orders/*}",
			link(true),
		},
		{"mongo.error: {from: web, to: store}", link(true)},
		{"mongo.error: {from: web, to: store, code: WriteConflict, message: no, command: insert, collection: \"o*\"}", link(true)},
		{"mongo.delay: {from: web, to: store, delay: 150ms, percent: 10%}", link(true)},
		{"redis.error: {from: web, to: store}", link(true)},
		{"redis.error: {from: web, to: store, reply: READONLY no, command: SET, key: \"user:*\", percent: 10%}", link(true)},
		{"redis.delay: {from: web, to: store, delay: 150ms, command: H*}", link(true)},
		{"kafka.error: {from: web, to: store}", link(true)},
		{"kafka.error: {from: web, to: store, api: JoinGroup, percent: 10%}", link(true)},
		{"kafka.error: {from: web, to: store, api: Fetch, code: UNKNOWN_TOPIC_OR_PARTITION, topic: orders-*}", link(true)},
		{"kafka.delay: {from: web, to: store, delay: 150ms, api: OffsetCommit}", link(true)},
		{"amqp.nack: {from: web, to: store}", link(true)},
		{"amqp.nack: {from: web, to: store, percent: 10%}", link(true)},
		{"sql.error: {from: web, to: store}", link(true)},
		{"sql.error: {from: web, to: store, protocol: mysql, sqlstate: \"40001\"}", link(true)},
		{
			"sql.error: {from: web, to: store, sqlstate: \"40001\", message: no, statement: update orders *, percent: 10%}",
			link(true),
		},
		{"sql.delay: {from: web, to: store, delay: 150ms, statement: select *}", link(true)},
		{"grpc.delay: {from: web, to: store, delay: 150ms}", link(true)},
		{"grpc.delay: {from: web, to: store, delay: 150ms, jitter: 20ms, percent: 20%, method: shop.Orders/Get}", link(true)},
		{"http.delay: {from: web, to: store, delay: 400ms, jitter: 400ms}", link(true)},
		{"http.delay: {from: web, to: store, delay: 150ms, jitter: 20ms, percent: 20%, method: POST}", link(true)},
	} {
		t.Run(c.yaml, func(t *testing.T) {
			if testing.Short() && strings.Contains(c.yaml, "0.5%") {
				t.Skip("makes twenty thousand requests")
			}
			t.Parallel()
			if c.yaml == "process.crash: {service: web}" {
				// No process survives SIGKILL, so the fault always has an effect.
				t.Run("effect", func(t *testing.T) {
					chaostest.Effect(t, c.yaml, c.world(t, true))
				})
				return
			}
			chaostest.Run(t, c.yaml, c.world)
		})
	}
}

// notified is a unit whose supervisor is notified of crashes.
type notified struct {
	*unit
	of int // the process whose crash was announced
}

func (u *notified) Traits() chaos.UnitTraits {
	t := u.unit.Traits()
	t.Crash = u.Crash
	return t
}

func (u *notified) Crash(pid int, _ bool, send func() error) error {
	if syscall.Kill(pid, 0) == nil {
		u.of = pid
	}
	return send()
}

// The supervisor is notified before a unit crashes.
func TestCrash_NotifiesSupervisor(t *testing.T) {
	t.Parallel()
	u := &notified{unit: newUnit(t, "web")}
	pid := u.PID()
	chaostest.Effect(t, "process.crash: {service: web, signal: TERM}", chaostest.World{
		Scope: chaos.Scope{Services: map[string]int{"web": 1}}, Env: chaos.Env{
			Targets:    chaos.Targets{Units: []chaos.Unit{u}},
			Occurrence: chaos.Occurrence{Now: clock()},
		},
	})
	if u.of != pid {
		t.Errorf("notified of process %d, and %d crashed", u.of, pid)
	}
}
