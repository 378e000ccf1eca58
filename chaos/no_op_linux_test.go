package chaos_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/agent"
	"brunt/chaos/catalog"
	"brunt/chaos/chaostest"
	"brunt/chaos/netns"
	"brunt/chaos/proxy"
	"brunt/chaos/proxy/child"
	"brunt/scenarios/suite"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	health "google.golang.org/grpc/health/grpc_health_v1"
)

// noOps are faults that match nothing of what is asked, by the protocol of the load that they are played under. Its
// messages are smaller than a piece of tcp.slicer, and a close that comes later is no harm.
var noOps = map[string][]string{
	"http": {
		"http.error: {from: web, to: store, path: /nobody}",
		"http.delay: {from: web, to: store, delay: 60ms, path: /nobody}",
		"http.rewrite: {from: web, to: store, path: /nobody, answer: {status: 418}}",
	},
	"grpc": {
		"grpc.error: {from: web, to: store, method: nobody.Asks/*}",
		"grpc.delay: {from: web, to: store, delay: 60ms, method: nobody.Asks/*}",
	},
	"mongo": {
		"mongo.error: {from: web, to: store, command: nobody}",
		"mongo.delay: {from: web, to: store, delay: 60ms, command: nobody}",
	},
	"redis": {
		"redis.error: {from: web, to: store, command: NOBODY}",
		"redis.delay: {from: web, to: store, delay: 60ms, command: NOBODY}",
		"kafka.error: {from: web, to: store}", // the protocol is another one
		"kafka.delay: {from: web, to: store, delay: 60ms}",
		"amqp.nack: {from: web, to: store}",
	},
	"sql": {
		"sql.error: {from: web, to: store, statement: nobody asks}",
		"sql.delay: {from: web, to: store, delay: 60ms, statement: nobody asks}",
	},
	"tcp": {
		"tcp.limit: {from: web, to: store, bytes: 16MiB}",
		"tcp.slow_close: {from: web, to: store, delay: 200ms}",
		"tcp.slicer: {from: web, to: store, size: 1KiB, delay: 5ms}",
	},
}

// noOpTraffic are faults on all traffic of a link, so weak that they fail no request of a load of HTTP. The other kinds
// of faults on a link's traffic cut or hold what they match, which on a link is everything.
var noOpTraffic = []string{
	"network.latency: {from: web, to: store, delay: 5ms, jitter: 2ms}",
	"network.bandwidth: {from: web, to: store, rate: 1Gbit/s}",
	"tcp.slicer: {from: web, to: store, size: 64B, delay: 1ms}",
}

// noOpIdle are faults on all traffic of a link, under connections that are open and carry nothing, and noOpNone those
// that hit an open connection too, under none.
var (
	noOpIdle = []string{
		"network.latency: {from: web, to: store, delay: 60ms}",
		"network.stall: {from: web, to: store}",
		"network.blackhole: {from: web, to: store}",
		"network.partition: {from: web, to: store}",
		"network.partition: {from: web, to: store, mode: reject, existing: keep}",
	}
	noOpNone = []string{
		"network.reset: {from: web, to: store}",
		"network.partition: {from: web, to: store, mode: reset}",
	}
	noOpLarge = []string{ // for messages of some bytes
		"network.bandwidth: {from: web, to: store, rate: 100MiB/s}",
		"tcp.slicer: {from: web, to: store, size: 8KiB, delay: 10ms}",
		"tcp.limit: {from: web, to: store, bytes: 15MiB}",
	}
	noOpUnsent = []string{
		"network.loss: {from: load, to: names, percent: 20%}",
		"network.duplicate: {from: load, to: names, percent: 20%}",
		"network.corrupt: {from: load, to: names, percent: 20%}",
		"network.reorder: {from: load, to: names, percent: 20%}",
		"network.bandwidth: {from: load, to: names, rate: 1MiB/s}",
	}
)

// TestUntouched plays every kind of fault on a link with traffic that it does not touch: it counts none, however much
// passes the link meanwhile.
func TestUntouched(t *testing.T) {
	played := map[string]bool{}
	play := func(yaml, protocol string, w chaostest.World, dial dialer, before, during int) {
		kind, _, _ := strings.Cut(yaml, ":")
		played[kind] = true
		t.Run(yaml, func(t *testing.T) {
			var ask func() error
			if before+during > 0 {
				ask = asks(t, protocol, dial)()
			}
			carry := func(n int) {
				for range n {
					if err := ask(); err != nil {
						t.Error(err)
					}
				}
			}
			carry(before)
			h, err := chaostest.Plan(t, yaml, w)[0].Inject(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			carry(during)
			met := h.Traits().Affected()
			if _, err := h.Revert(t.Context()); err != nil {
				t.Error(err)
			}
			if met.N != 0 || met.Unknown {
				t.Errorf("it touched nothing, and counts %+v", met)
			}
		})
	}
	onLink := func(yaml, protocol string, before, during int) {
		w, dial := noOpLink(t, protocol)
		play(yaml, protocol, w, dial, before, during)
	}
	for protocol, faults := range noOps {
		for _, yaml := range faults {
			onLink(yaml, protocol, 1, 1)
		}
	}
	for _, yaml := range noOpLarge {
		onLink(yaml, "http", 1, 1)
	}
	for _, yaml := range noOpIdle {
		onLink(yaml, "tcp", 1, 0)
	}
	for _, yaml := range noOpNone {
		onLink(yaml, "tcp", 0, 0)
	}
	for _, yaml := range noOpUnsent {
		play(yaml, "", datagrams(t, true), nil, 0, 0)
	}
	for _, f := range catalog.Faults() {
		if d := f.Describe(); d.On&chaos.OnLinks != 0 && !played[d.Kind] {
			t.Errorf("%s is on links, and is not played with traffic that it does not touch", d.Kind)
		}
	}
}

// noOpPackets are faults on packets and DNS queries that match none of a load of HTTP.
var noOpPackets = []string{
	"network.latency: {from: web, to: store, delay: 60ms, ports: 9}",
	"network.loss: {from: web, to: store, percent: 30%, ports: 9}",
	"network.duplicate: {from: web, to: store, percent: 20%, ports: 9}",
	"network.corrupt: {from: web, to: store, percent: 20%, ports: 9}",
	"network.reorder: {from: web, to: store, percent: 25%, ports: 9}",
	"network.bandwidth: {from: web, to: store, rate: 10Mbit/s, ports: 9}",
	"network.partition: {from: web, to: store, ports: 9}",
	"network.partition: {from: web, to: store, mode: reset, ports: 9}",
	"network.partition: {from: web, to: store, existing: keep, ports: 9}",
	"network.blackhole: {from: web, to: store, ports: 9}",
	"network.stall: {from: web, to: store, ports: 9}",
	"network.reset: {from: web, to: store, ports: 9}",
	"network.half_open: {from: web, to: store, ports: 9}",
	"dns.fail: {service: web, names: [nobody.invalid]}",
	"dns.timeout: {service: web, names: [nobody.invalid]}",
	"dns.spoof: {service: web, names: [nobody.invalid], answers: [192.0.2.1]}",
}

// TestNoOp plays faults that match nothing under a load over connections that are kept: no request fails as they begin,
// while they are in, or as they end. Between networks, connections are diverted to the proxies for the time of the
// fault; on a link they pass a proxy all the time.
func TestNoOp(t *testing.T) {
	suite.Needs(t, suite.Root)
	for protocol, faults := range noOps {
		for _, yaml := range faults {
			t.Run("diverted/"+yaml, func(t *testing.T) {
				t.Parallel()
				pool := new(agent.Pool)
				web, store := pair(t)
				t.Cleanup(func() { _ = pool.Close(context.Background()) })
				s := store.serves(t, protocol)
				w := chaostest.World{
					Scope: chaos.Scope{Services: map[string]int{"web": 1, "store": 1}, Containers: true},
					Env: chaos.Env{
						Targets:    chaos.Targets{Units: []chaos.Unit{&pod{box: web}, &pod{box: store, at: s}}},
						Host:       chaos.Host{Agents: pool},
						Occurrence: chaos.Occurrence{Now: clock()},
					},
				}
				playNoOp(t, w, yaml, protocol, web.dialer(t, s.String()))
			})
			t.Run("link/"+yaml, func(t *testing.T) { playNoOpOnLink(t, yaml, protocol) })
		}
	}
	for _, yaml := range noOpTraffic {
		t.Run("link/"+yaml, func(t *testing.T) { playNoOpOnLink(t, yaml, "http") })
	}
	for _, yaml := range noOpPackets {
		t.Run("packets/"+yaml, func(t *testing.T) {
			t.Parallel()
			w := boxes(t, true)
			web, store := w.Env.Units[0].(*box), w.Env.Units[1].(*box)
			playNoOp(t, w, yaml, "http", web.dialer(t, store.serves(t, "http").String()))
		})
	}
}

// playNoOpOnLink plays occurrences of a fault on a link, under load through the link's proxy.
func playNoOpOnLink(t *testing.T, yaml, protocol string) {
	t.Parallel()
	w, dial := noOpLink(t, protocol)
	playNoOp(t, w, yaml, protocol, dial)
}

// noOpLink is a world of one link with a server of a protocol behind it, and the dialer of its proxy.
func noOpLink(t *testing.T, protocol string) (chaostest.World, dialer) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served(t, protocol, l)
	p, err := proxy.Start(proxy.Config{Upstream: func() string { return l.Addr().String() }, HTTP: protocol != "tcp"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return linkWorld(p), func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "tcp", p.Addr())
	}
}

// noOpProcesses are faults on a process beside the server of a load, which no request needs. The resource faults are
// played beside it as well.
var noOpProcesses = []string{
	"process.crash: {service: web}",
	"process.freeze: {service: web}",
	"process.stop: {service: web, grace: 1s}",
	"process.restart: {service: web, grace: 1s}",
}

// TestNoOp_Beside plays faults on a process under a load on another one, which shares control groups with it where the
// fault allows that: no request fails as they begin, while they are in, or as they end.
func TestNoOp_Beside(t *testing.T) {
	needsRoot(t)
	suite.Long(t)
	play := func(t *testing.T, yaml string, build func(t *testing.T) (w chaostest.World, dir string)) {
		t.Run(yaml, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			served(t, "http", l)
			w, dir := build(t)
			yaml := strings.ReplaceAll(yaml, "DIR", strconv.Quote(dir))
			playNoOp(t, w, yaml, "http", func(ctx context.Context) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
			})
		})
	}
	for _, yaml := range noOpProcesses {
		play(t, yaml, func(t *testing.T) (chaostest.World, string) { return processWorld(newUnit(t, "web")), "" })
	}
	played := map[string]bool{}
	for _, c := range resourceFaults {
		kind, _, _ := strings.Cut(c.yaml, ":")
		if played[kind] {
			continue
		}
		played[kind] = true
		play(t, c.yaml, func(t *testing.T) (chaostest.World, string) {
			v := victimIn(t, c.where)
			return v.world(nil), v.dir
		})
	}
}

// noOpContainers are faults on a container beside the one whose network a load uses.
var noOpContainers = []string{
	"container.kill: {service: web}",
	"container.stop: {service: web, grace: 1s}",
	"container.restart: {service: web, grace: 1s}",
	"container.pause: {service: web}",
	"network.disconnect: {service: web}",
}

// TestDocker_NoOp plays faults on a container under a load on a server in the network of another one, from outside
// both: no request fails as they begin, while they are in, or as they end.
func TestDocker_NoOp(t *testing.T) {
	suite.Needs(t, suite.Root, suite.Docker)
	y := chaostest.NewYard(t)
	for _, yaml := range noOpContainers {
		t.Run(yaml, func(t *testing.T) {
			t.Parallel()
			store := y.Start(t, chaostest.VictimOptions{Unit: "store[0]"})
			is, err := y.Engine.Inspect(t.Context(), store.ID)
			if err != nil {
				t.Fatal(err)
			}
			n, err := netns.Open(fmt.Sprintf("/proc/%d/ns/net", is.PID))
			if err != nil {
				t.Fatal(err)
			}
			defer n.Close()
			var l net.Listener
			if err := n.Do(func() (err error) {
				l, err = net.Listen("tcp", netip.AddrPortFrom(is.Addresses()[0], 0).String())
				return err
			}); err != nil {
				t.Fatal(err)
			}
			served(t, "http", l)
			w := containerWorld(y, nil, chaostest.VictimOptions{Restart: "always"}, nil)(t, true)
			playNoOp(t, w, yaml, "http", func(ctx context.Context) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
			})
		})
	}
}

// noOpClients is how many clients ask at once. Each thinks for at most noOpThinks before it asks again, of a server
// that takes at most noOpTakes. A connection of gRPC has to be idle for longer, until it is known to be quiet.
const (
	noOpClients = 8
	noOpThinks  = 30 * time.Millisecond
	noOpTakes   = 10 * time.Millisecond
	grpcThinks  = 150 * time.Millisecond
	grpcStall   = 25 * time.Millisecond // half of what a connection of gRPC is idle for
	stallEvery  = 5 * time.Millisecond
)

// playNoOp plays occurrences of a fault under load, and checks that no request fails.
func playNoOp(t *testing.T, w chaostest.World, yaml, protocol string, dial dialer) {
	t.Helper()
	var stage atomic.Value
	stage.Store("before it")
	var asked, bad atomic.Int64
	var mu sync.Mutex
	var wrong []string
	failed := func(format string, of ...any) {
		mu.Lock()
		defer mu.Unlock()
		wrong = append(wrong, fmt.Sprintf(format, of...))
	}
	ctx, over := context.WithCancel(t.Context())
	var all sync.WaitGroup
	defer all.Wait()
	defer over()
	var stall atomic.Int64 // the longest time that this process did not run
	all.Go(func() {
		for ctx.Err() == nil {
			began := time.Now()
			<-time.After(stallEvery)
			stall.Store(max(stall.Load(), int64(time.Since(began)-stallEvery)))
		}
	})
	ask, thinks := asks(t, protocol, dial), noOpThinks
	if protocol == "grpc" {
		thinks = grpcThinks
	}
	for range noOpClients {
		one := ask()
		all.Go(func() {
			for ctx.Err() == nil {
				began, at := stage.Load(), time.Now()
				if err := one(); err != nil {
					bad.Add(1)
					failed("a request that was sent %s, and was over %s %s later: %v", began, stage.Load(), time.Since(at), err)
				}
				asked.Add(1)
				select {
				case <-time.After(rand.N(thinks)):
				case <-ctx.Done():
				}
			}
		})
	}
	more := func(name string) {
		stage.Store(name)
		from := asked.Load()
		suite.Until(t, "requests "+name, func() bool { return asked.Load() > from+3*noOpClients })
	}
	times := suite.Times(2)
	for range times {
		more("before it")
		steps := chaostest.Plan(t, yaml, w)
		stage.Store("as it began")
		h, err := steps[0].Inject(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if seen, err := h.Verify(ctx); err != nil {
			t.Log(err) // some prove themselves by the port that they match
		} else if strings.Contains(seen, "brunt cut") {
			failed("%s", seen)
		}
		more("while it was in")
		stage.Store("as it ended")
		if _, err := h.Revert(ctx); err != nil {
			t.Error(err)
		}
		more("as it had ended")
		stage.Store("while it was proved gone")
		gone, err := h.Gone(ctx)
		if err != nil && !strings.HasPrefix(yaml, "network.") { // of which some have no proof where no port is open
			t.Error(err)
		}
		if strings.Contains(gone, "brunt cut") {
			failed("%s", gone)
		}
	}
	over()
	all.Wait()
	if late := stall.Load(); protocol == "grpc" && late > int64(grpcStall) {
		t.Logf("the machine stood still for %s, in which a connection that is shared can't be told from a quiet one: %q",
			time.Duration(late), wrong)
	} else {
		for _, w := range wrong {
			t.Error(w)
		}
	}
	t.Logf("%d of %d requests were bad in %d occurrences", bad.Load(), asked.Load(), times)
}

// pod is a box that stands for a pod: agents alone act in its network.
type pod struct {
	*box
	chaos.Node
	at netip.AddrPort // of its server
}

func (p *pod) Traits() chaos.UnitTraits { return chaos.UnitTraits{Contained: p, Node: p} }

func (p *pod) Separate(context.Context) error { return nil }

func (p *pod) Reached(_ context.Context, units []chaos.Unit) (out []chaos.Reach, err error) {
	for _, u := range units {
		out = append(out, chaos.Reach{Name: u.Name(), At: []netip.AddrPort{u.(*pod).at}})
	}
	return out, nil
}

// LendProxies implements [chaos.Node]: they run in this process.
func (p *pod) LendProxies(context.Context) (io.ReadWriteCloser, error) {
	n, err := netns.Open(fmt.Sprintf("/proc/%d/ns/net", p.PID()))
	if err != nil {
		return nil, err
	}
	ours, theirs := net.Pipe()
	go func() {
		defer n.Close()
		defer theirs.Close()
		_ = child.ServeIn(context.Background(), n, theirs, theirs)
	}()
	return ours, nil
}

// dialer opens a connection to the server of a load.
type dialer func(ctx context.Context) (net.Conn, error)

// dialer opens connections from inside the network of a box.
func (b *box) dialer(t *testing.T, to string) dialer {
	t.Helper()
	n, err := netns.Open(fmt.Sprintf("/proc/%d/ns/net", b.PID()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Close() })
	return func(context.Context) (c net.Conn, err error) {
		err = n.Do(func() (err error) {
			c, err = net.Dial("tcp", to)
			return err
		})
		return c, err
	}
}

// serves starts a server of a protocol in the network of a box.
func (b *box) serves(t *testing.T, protocol string) netip.AddrPort {
	t.Helper()
	var l net.Listener
	b.inside(t, func() (err error) {
		l, err = net.Listen("tcp", netip.AddrPortFrom(b.addr, 0).String())
		return err
	})
	served(t, protocol, l)
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// served serves a protocol. Each answer takes some time.
func served(t *testing.T, protocol string, l net.Listener) {
	t.Helper()
	switch protocol {
	case "http":
		s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			time.Sleep(rand.N(noOpTakes)) // simulates work
			_, _ = w.Write(b)
		})}
		go func() { _ = s.Serve(l) }()
		t.Cleanup(func() { _ = s.Close() })
	case "grpc":
		s := grpc.NewServer()
		health.RegisterHealthServer(s, new(slowHealth))
		go func() { _ = s.Serve(l) }()
		t.Cleanup(s.Stop)
	default:
		p := spoken[protocol]
		suite.Serve(t, l, func(c net.Conn) {
			defer c.Close()
			stop := context.AfterFunc(t.Context(), func() { _ = c.Close() })
			defer stop()
			for next := []exchange{p.hello, p.request}; ; {
				x := next[0]
				if len(next) > 1 {
					next = next[1:]
				}
				b := make([]byte, len(x.asks))
				if _, err := io.ReadFull(c, b); err != nil || string(b) != x.asks {
					return
				}
				time.Sleep(rand.N(noOpTakes)) // simulates work
				if _, err := io.WriteString(c, x.says); err != nil {
					return
				}
			}
		})
	}
}

// slowHealth answers the calls of the load, each of another service. It also answers whether a call came.
type slowHealth struct {
	health.UnimplementedHealthServer
	calls sync.Map // by service
}

// cameQuestion asks, before the name of a service, whether a call of that came.
const cameQuestion = "came "

func (h *slowHealth) Check(_ context.Context, r *health.HealthCheckRequest) (*health.HealthCheckResponse, error) {
	status := health.HealthCheckResponse_SERVING
	if id, asks := strings.CutPrefix(r.Service, cameQuestion); asks {
		if _, came := h.calls.Load(id); !came {
			status = health.HealthCheckResponse_NOT_SERVING
		}
	} else {
		h.calls.Store(r.Service, true)
		time.Sleep(rand.N(noOpTakes)) // simulates work
	}
	return &health.HealthCheckResponse{Status: status}, nil
}

// exchange is a request and its answer, as they stand on the wire.
type exchange struct{ asks, says string }

// spoken are the protocols that are spoken here byte by byte: how a connection begins, and then each request.
var spoken = map[string]struct{ hello, request exchange }{
	"tcp":   {request: exchange{"how are you, I wonder\n", "fine, as far as I know\n"}},
	"redis": {request: exchange{"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", "$5\r\nvalue\r\n"}},
	"sql": {
		exchange{"\x00\x00\x00\x11\x00\x03\x00\x00user\x00me\x00\x00", "R\x00\x00\x00\x08\x00\x00\x00\x00Z\x00\x00\x00\x05I"},
		exchange{"Q\x00\x00\x00\x0dselect 1\x00", "C\x00\x00\x00\x0dSELECT 1\x00Z\x00\x00\x00\x05I"},
	},
}

// asks returns what makes the function of a client, which makes one request.
func asks(t *testing.T, protocol string, dial dialer) func() func() error {
	t.Helper()
	switch protocol {
	case "http":
		c := &http.Client{Transport: &http.Transport{
			MaxIdleConnsPerHost: noOpClients, DialContext: func(ctx context.Context, _, _ string) (net.Conn,
				error,
			) {
				return dial(ctx)
			},
		}}
		t.Cleanup(c.CloseIdleConnections)
		return func() func() error { return func() error { return post(c) } }
	case "grpc":
		return func() func() error { // one call at a time on a connection: with several, no moment may be quiet
			c, err := grpc.NewClient("passthrough:///store", grpc.WithTransportCredentials(insecure.NewCredentials()),
				grpc.WithDisableRetry(),
				grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return dial(ctx) }))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = c.Close() })
			return func() error { return call(health.NewHealthClient(c)) }
		}
	}
	return func() func() error {
		k := &keptConn{dial: dial, hello: spoken[protocol].hello}
		t.Cleanup(k.close)
		return func() error { return k.ask(spoken[protocol].request) }
	}
}

// call makes a call, and makes it again only if nothing of it came to the server, as net/http and keptConn do. grpc-go
// sends a call on a connection that has ended until it learns of that, which takes until its reader runs, and such a
// call fails as unavailable.
func call(c health.HealthClient) error {
	ctx, id := context.Background(), fmt.Sprint(rand.Uint64())
	_, err := c.Check(ctx, &health.HealthCheckRequest{Service: id})
	if err == nil {
		return nil
	}
	came, asking := c.Check(ctx, &health.HealthCheckRequest{Service: cameQuestion + id})
	if asking != nil || came.Status == health.HealthCheckResponse_SERVING {
		return errors.Join(err, asking)
	}
	_, err = c.Check(ctx, &health.HealthCheckRequest{Service: id})
	return err
}

// post sends a request that net/http repeats only if nothing of it was sent.
func post(c *http.Client) error {
	r, err := c.Post("http://store/echo", "text/plain", bytes.NewReader(make([]byte, 64)))
	if err != nil {
		return err
	}
	defer r.Body.Close()
	if b, err := io.ReadAll(r.Body); err != nil || r.StatusCode != http.StatusOK || len(b) != 64 {
		return fmt.Errorf("status %d with %d bytes: %w", r.StatusCode, len(b), err)
	}
	return nil
}

// keptConn is a client that keeps its connection, and opens another one if nothing of a request could be sent.
type keptConn struct {
	dial  dialer
	hello exchange
	conn  net.Conn
}

func (k *keptConn) close() {
	if k.conn != nil {
		_ = k.conn.Close()
		k.conn = nil
	}
}

// errNothingSent says that the connection had ended before a request.
var errNothingSent = errors.New("nothing could be sent")

func (k *keptConn) ask(x exchange) error {
	if k.conn != nil {
		err := k.send(x)
		if !errors.Is(err, errNothingSent) {
			return err
		}
	}
	var err error
	if k.conn, err = k.dial(context.Background()); err != nil {
		return err
	}
	if err := k.send(k.hello); err != nil {
		return fmt.Errorf("a new connection: %w", err)
	}
	return k.send(x)
}

func (k *keptConn) send(x exchange) error {
	if n, err := io.WriteString(k.conn, x.asks); err != nil {
		k.close()
		if n == 0 {
			return errNothingSent
		}
		return err
	}
	b := make([]byte, len(x.says))
	if n, err := io.ReadFull(k.conn, b); err != nil || string(b) != x.says {
		k.close()
		return fmt.Errorf("the answer is %q: %w", b[:n], err)
	}
	return nil
}
