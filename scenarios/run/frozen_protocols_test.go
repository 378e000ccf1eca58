//go:build unix

package run_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/textproto"
	neturl "net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios/load"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/slo"
	"brunt/scenarios/suite"
	"brunt/targets/catalog"
	"brunt/targets/targetstest"

	"github.com/gorilla/websocket"
	"github.com/miekg/dns"
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"google.golang.org/grpc"
)

// A frozenCase is a load that goes on while its server stands still.
type frozenCase struct {
	name     string
	protocol string // as the catalog names it
	executor string
	// serve starts a server. It returns the URL of its endpoint, and what it has counted; nil: it does not count
	serve func(t *testing.T) (url string, counted *atomic.Int64)
	flow  string // empty: the requests are those of a log
	paces bool   // ten sessions pace the requests
}

// The open executors, each with 10 000 arrivals in 10 s. That of a replay has its log in LOG.
var frozenExecutors = map[string]string{
	"constant-arrival-rate": "rate: 1000/s, duration: 10s",
	"ramping-arrival-rate":  "start_rate: 500/s, stages: [{rate: 1500/s, duration: 10s}]",
	"spike":                 "base: 600/s, peak: 1400/s, before: 2s, rise: 1s, hold: 4s, fall: 1s, after: 2s",
	"replay":                "from: LOG",
}

// closedExecutors ask no more of a server that stands still.
var closedExecutors = []string{"constant-vus", "ramping-vus", "per-vu-iterations", "shared-iterations"}

// frozenCases have every protocol, and every open executor.
func frozenCases() []frozenCase {
	const (
		even = "constant-arrival-rate"
		pace = `{send: {json: {id: "${message.id}"}}, to: line, name: call, pace: {rate: 100/s, for: 10s, outstanding: 20}, expect: {$.id: "${message.id}"}}`
	)
	web := func(t *testing.T) (string, *atomic.Int64) { return "http://" + newServer(t, "serve").addr, nil }
	uncounted := func(start func(*testing.T) string) func(t *testing.T) (string, *atomic.Int64) {
		return func(t *testing.T) (string, *atomic.Int64) { return start(t), nil }
	}
	say := `{grpc: echo.Echo/Say, message: {id: "${int(1,9)}"}, name: call}`
	cases := []frozenCase{
		{"http", "http", "ramping-arrival-rate", web, `{get: /, name: call}`, false},
		{"http", "http", "spike", web, `{get: /, name: call}`, false},
		{"http", "http", "replay", web, "", false},
		{"h3", "http", even, newHTTP3, `{get: /, name: call}`, false},
		{"grpc", "grpc", even, newEcho, say, false},
		{"grpc", "grpc", "spike", newEcho, say, false},
		{"redis", "redis", even, uncounted(newRedis), `{redis: [INCR, "n:${int(1,9)}"], name: call}`, false},
		{
			"redis", "redis", "ramping-arrival-rate", uncounted(newRedis), `{redis: [INCR, "n:${int(1,9)}"], name: call}`,
			false,
		},
		{
			"nats", "nats", even, uncounted(newNATS), `{nats.request: $JS.API.INFO, check: {$.streams: 0}, name: call}`,
			false,
		},
		{"jetstream", "nats", even, newJetStream, `{nats.publish: "orders.${int(1,9)}", ack: stream, name: call}`, false},
		{"kafka", "kafka", even, newKafka, `{kafka.produce: orders, key: "k${int(1,9)}", text: hello, name: call}`, false},
		{"amqp", "amqp", even, uncounted(newRabbit), `{amqp.publish: nowhere, mandatory: off, name: call}`, false},
		{"memcached", "memcached", even, uncounted(newMemcached), `{memcached.set: "n:${int(1,9)}", message: hi, name: call}`, false},
		{"mqtt", "mqtt", even, uncounted(newMosquitto), `{mqtt.publish: "devices/${int(1,9)}", name: call}`, false},
		{"mqtt 3.1.1", "mqtt", even, newMQTT3, `{mqtt.publish: "devices/${int(1,9)}", name: call}`, false},
		{"mongo", "mongo", even, uncounted(newFerret), `{mongo: {ping: 1}, check: {$.ok: 1}, name: call}`, false},
		{"smtp", "smtp", even, newMail, `{smtp.send: "u${int(1,9)}@example.test", subject: hi, name: call}`, false},
		{"postgres", "sql", even, uncounted(newPostgres), `{sql: "select $1::int", args: [7], name: call}`, false},
		{"mysql", "sql", even, uncounted(newMariaDB), `{sql: "select ?", args: [7], name: call}`, false},
		{"grpc both ways", "stream", even, newEcho, `{grpc: echo.Echo/Chat, as: line, name: join}, ` + pace, true},
		{"ws", "stream", even, newSocket, `{ws: /, as: line, name: join}, ` + pace, true},
		{"dns", "dns", even, newDNS, `{dns: "${int(1,9)}.test A", check: {answers: 1}, name: call}`, false},
		{"dns over tcp", "dns", even, newDNSOverTCP, `{dns: "${int(1,9)}.test A", check: {answers: 1}, name: call}`, false},
		{"udp", "stream", even, newDatagrams, `{udp: "${int(1,9)}", expect: exists, name: call}`, false},
		{"plugin", "plugin", even, newPlugin, `{plugin: say, with: {verb: "v${int(1,9)}"}, check: {$.said: exists}, name: call}`, false},
		{"tcp", "stream", even, newLines, `{tcp: lines, as: line, name: join}, ` + pace, true},
	}
	for _, name := range []string{"grpc", "redis", "kafka", "amqp", "ws", "dns over tcp"} {
		c := cases[slices.IndexFunc(cases, func(c frozenCase) bool { return c.name == name })]
		c.name, c.serve = strings.TrimSuffix(name, " over tcp")+" over tls", secured(c.serve)
		cases = append(cases, c)
	}
	return cases
}

// secured names the endpoint of a server by a URL with TLS. The relay in front of the server speaks it.
func secured(serve func(*testing.T) (string, *atomic.Int64)) func(t *testing.T) (url string, counted *atomic.Int64) {
	return func(t *testing.T) (url string, counted *atomic.Int64) {
		t.Helper()
		plain, counted := serve(t)
		scheme, rest, _ := strings.Cut(plain, "://")
		scheme, _, _ = strings.Cut(scheme, "+")
		return scheme + "+tls://" + rest, counted
	}
}

// TestFrozen_Protocols: what a server delays by standing still for a second is in the response times of every protocol
// and of every open executor, and nothing is left out of them. [TestFrozen] holds HTTP to the records of its server
// besides, also HTTP/2 and TLS.
func TestFrozen_Protocols(t *testing.T) {
	cases := frozenCases()
	for _, d := range catalog.Protocols() {
		if !slices.ContainsFunc(cases, func(c frozenCase) bool { return c.protocol == d.Name }) {
			t.Errorf("no case for the protocol %q", d.Name)
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(load.Kinds())) {
		tested := slices.ContainsFunc(cases, func(c frozenCase) bool { return c.executor == kind })
		if tested == slices.Contains(closedExecutors, kind) {
			t.Errorf("the executor %s wants a case here, or a place in closedExecutors", kind)
		}
	}
	if testing.Short() {
		t.Skip("10 s each, of 1000/s")
	}
	turns := make(chan struct{}, 3) // more at once would serve the waiting requests too slowly
	var alone sync.RWMutex          // read-locked by the first try of each
	for _, c := range cases {
		t.Run(c.name+" by "+c.executor, func(t *testing.T) {
			t.Parallel()
			turns <- struct{}{}
			defer func() { <-turns }()
			turn := alone.RLocker()
			try(t, func(wrong *complaints) { // a busy machine serves the waiting requests slowly
				turn.Lock()
				defer turn.Unlock()
				turn = &alone
				c.check(t, wrong)
			})
		})
	}
}

// check runs the case once, and compares what was measured with the schedule and the stop.
func (c frozenCase) check(t *testing.T, wrong *complaints) {
	const paced, sessions = 100, 10 // messages a second of each session
	url, counted := c.serve(t)
	u, err := neturl.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	r := newStopping(t, u)
	u.Host = r.at
	target := fmt.Sprintf("endpoints: {main: %q}", u)
	version, most := "auto", "10" // each handshake delays what waits
	switch u.Scheme {
	case "http":
		target = fmt.Sprintf("url: %q", u)
	case "https":
		// one connection, as each hundred streams would want another, whose handshake would stand still as well
		target, version, most = fmt.Sprintf("url: %q", u), "3", fmt.Sprintf("1, max_streams: %d", mostStreams)
	case "plugin":
		target, most = fmt.Sprintf("endpoints: {main: {url: %q, %s}}", u, targetstest.PluginCommand()), "1" // a process
	case "grpc", "grpc+tls":
		target = fmt.Sprintf("endpoints: {main: {url: %q, protos: [%q]}}", u, echoProto(t))
	}
	shape := frozenExecutors[c.executor]
	if c.paces {
		shape = fmt.Sprintf("rate: %d/s, duration: 1s", sessions)
	}
	flow := ", flow: [" + c.flow + "]"
	if c.flow == "" {
		shape, flow = strings.Replace(shape, "LOG", accessLog(t), 1), ""
	}
	text := fmt.Sprintf(`
version: 1
name: frozen for a second
seed: 7
target: {%s, tls: {insecure_skip_verify: on}}
load:
  main: {executor: %s, %s, timeout: 5s, grace: 15s, max_in_flight: 3000, connections: {max: %s, http: %s}%s}
`, target, c.executor, shape, most, version, flow)
	var f frozen
	res := inTime(t, func() *result.Result {
		p := mustCompile(t, text)
		if counted != nil {
			counted.Store(0)
		}
		var stopped sync.WaitGroup
		var once sync.Once
		var from, to time.Time
		res, err := run.Run(t.Context(), p, run.Options{Live: func(iv result.Interval) {
			if iv.At > 4*time.Second {
				once.Do(func() { stopped.Go(func() { from, to = r.stop() }) })
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		stopped.Wait()
		f = frozen{Result: res, intended: schedule(p), from: from.Sub(res.T0), to: to.Sub(res.T0)}
		return res
	})
	if c.paces {
		var all []time.Duration
		for _, begin := range f.intended {
			for i := range time.Duration(10 * paced) {
				all = append(all, begin+i*time.Second/paced)
			}
		}
		f.intended = all
	}
	wrong.passed(res)
	const want = 10_000
	n := len(f.intended)
	all, ok := callCell(res, "*"), callCell(res, "ok")
	if n != want || all.Count != want || ok.Count != want {
		wrong.addf("%d counted, %d ok; the schedule has %d, want %d", all.Count, ok.Count, n, want)
	}
	if counted != nil && counted.Load() != want {
		wrong.addf("the server counted %d requests, want %d", counted.Load(), want)
	}
	for _, q := range []struct {
		q   float64
		got result.Num
	}{{.95, all.Response.P95}, {.99, all.Response.P99}} {
		ideal := quantile(q.q, n, f.ideal)
		t.Logf("p%g: %.4g; the stop has %.4g", 100*q.q, q.got, ideal)
		if got := float64(q.got); !(got > .9*ideal && got < 1.1*ideal) || ideal < .3 {
			wrong.addf("p%g is %g, want %g", 100*q.q, got, ideal)
		}
	}
	if len(res.Errors) > 0 {
		wrong.addf("%+v", res.Errors)
	}
}

// schedule returns when the arrivals of the only load of a plan are due.
func schedule(p *plan.Plan) (at []time.Duration) {
	lp := p.Loads[0]
	c := load.NewCursor(lp.Schedule.Rate, 0, lp.Schedule.Poisson, p.Scenario.Seed^load.Hash(lp.Name), load.Part{})
	for _, due, ok := c.Next(); ok; _, due, ok = c.Next() {
		at = append(at, due)
	}
	return at
}

// callCell returns the cell of the step `call` in the whole run, or that of all steps where none has this name.
func callCell(res *result.Result, outcome string) result.Cell {
	for _, c := range res.Cells {
		if c.Phase == slo.ParsePhase("run") && c.Load == "main" && c.Step == "call" && c.Outcome == outcome {
			return c
		}
	}
	return cellOf(res, "run", outcome)
}

// stopping is a relay whose bytes stand still for a while, both ways. It goes on to accept connections, as the kernel
// does for a server that stands still.
type stopping struct {
	at, to string // host:port

	still sync.RWMutex // held while nothing moves
	mu    sync.Mutex
	open  []net.Conn
}

// newStopping starts a relay to the host of a URL that ends with the test. It relays datagrams if the URL stands for
// those. A connection with TLS ends at the relay.
func newStopping(t *testing.T, to *neturl.URL) *stopping {
	t.Helper()
	r := &stopping{to: to.Host}
	t.Cleanup(func() { // after those that follow
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, c := range r.open {
			_ = c.Close()
		}
	})
	if slices.Contains([]string{"dns", "udp", "https"}, to.Scheme) { // https is HTTP/3 here
		r.relayDatagrams(t)
		return r
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.at = l.Addr().String()
	if scheme, secure := strings.CutSuffix(to.Scheme, "+tls"); secure {
		dir := t.TempDir()
		pairs(t, dir, "server")
		pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "server.pem"), filepath.Join(dir, "server.key"))
		if err != nil {
			t.Fatal(err)
		}
		config := &tls.Config{Certificates: []tls.Certificate{pair}}
		if scheme == "grpc" {
			config.NextProtos = []string{"h2"}
		}
		l = tls.NewListener(l, config)
	}
	suite.Serve(t, l, r.pass)
	t.Cleanup(func() {
		_ = l.Close()
		r.mu.Lock()
		defer r.mu.Unlock()
		for _, c := range r.open {
			_ = c.Close()
		}
	})
	return r
}

// relayDatagrams relays datagrams both ways, until the test ends. Those that come during a stop wait in a queue,
// because the system's buffer would lose some.
func (r *stopping) relayDatagrams(t *testing.T) {
	t.Helper()
	in, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	r.at = in.LocalAddr().String()
	var all sync.WaitGroup
	t.Cleanup(func() {
		_ = in.Close()
		r.mu.Lock()
		for _, c := range r.open {
			_ = c.Close()
		}
		r.mu.Unlock()
		all.Wait()
	})
	var open atomic.Int32 // readers, which fill the queue
	queue := make(chan func() (int, error), 1<<16)
	all.Go(func() {
		for write := range queue {
			r.still.RLock()
			_, _ = write()
			r.still.RUnlock()
		}
	})
	done := func() { // the last one ends the queue
		if open.Add(-1) == 0 {
			close(queue)
		}
	}
	open.Add(1)
	all.Go(func() {
		defer done()
		out := map[netip.AddrPort]net.Conn{}
		for {
			b := make([]byte, 4<<10)
			n, from, err := in.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			c := out[from]
			if c == nil {
				if c, err = net.Dial("udp4", r.to); err != nil {
					return
				}
				out[from] = c
				r.mu.Lock()
				r.open = append(r.open, c)
				r.mu.Unlock()
				open.Add(1)
				all.Go(func() {
					defer done()
					for {
						b := make([]byte, 4<<10)
						n, err := c.Read(b)
						if err != nil {
							return
						}
						queue <- func() (int, error) { return in.WriteToUDPAddrPort(b[:n], from) }
					}
				})
			}
			queue <- func() (int, error) { return c.Write(b[:n]) }
		}
	})
}

// pass relays a connection both ways, until either side ends it.
func (r *stopping) pass(c net.Conn) {
	s, err := net.Dial("tcp", r.to)
	if err != nil {
		_ = c.Close()
		return
	}
	r.mu.Lock()
	r.open = append(r.open, c, s)
	r.mu.Unlock()
	if secure, is := c.(*tls.Conn); is { // a server that stands still makes no handshake
		r.still.RLock()
		_ = secure.Handshake()
		r.still.RUnlock()
	}
	var both sync.WaitGroup
	for _, to := range [][2]net.Conn{{c, s}, {s, c}} {
		both.Go(func() {
			defer to[0].Close()
			defer to[1].Close()
			b := make([]byte, 16<<10)
			for {
				n, err := to[0].Read(b)
				if err != nil {
					return
				}
				r.still.RLock()
				_, err = to[1].Write(b[:n])
				r.still.RUnlock()
				if err != nil {
					return
				}
			}
		})
	}
	both.Wait()
}

// stop lets nothing move for a while, and returns its start and end.
func (r *stopping) stop() (from, to time.Time) {
	r.still.Lock()
	defer r.still.Unlock()
	from = time.Now()
	time.Sleep(time.Until(from.Add(frozenFor))) // simulates a server that stands still
	return from, time.Now()
}

// bytesCodec passes the messages of gRPC as they are.
type bytesCodec struct{}

func (bytesCodec) Marshal(v any) ([]byte, error)      { return *v.(*[]byte), nil }
func (bytesCodec) Unmarshal(data []byte, v any) error { *v.(*[]byte) = slices.Clone(data); return nil }
func (bytesCodec) Name() string                       { return "proto" }

// newEcho starts grpc-go's server, which answers each message of each call with itself.
func newEcho(t *testing.T) (url string, counted *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	counted = new(atomic.Int64)
	s := grpc.NewServer(grpc.ForceServerCodec(bytesCodec{}), grpc.WaitForHandlers(true),
		grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
			for {
				var msg []byte
				if err := stream.RecvMsg(&msg); err != nil {
					return nil //nolint:nilerr // it is the client's end
				}
				counted.Add(1)
				if err := stream.SendMsg(&msg); err != nil {
					return err
				}
			}
		}))
	var all sync.WaitGroup
	all.Go(func() { _ = s.Serve(l) })
	t.Cleanup(func() {
		s.Stop()
		all.Wait()
	})
	return "grpc://" + l.Addr().String(), counted
}

// echoProto writes the services of [newEcho].
func echoProto(t *testing.T) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "echo.proto")
	const text = `syntax = "proto3"; package echo; message M { int64 id = 1; } service Echo { rpc Say(M) returns (M); rpc Chat(stream M) returns (stream M); }`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// newSocket starts a server of WebSocket that answers each message with itself.
func newSocket(t *testing.T) (url string, counted *atomic.Int64) {
	t.Helper()
	counted = new(atomic.Int64)
	var open sync.WaitGroup
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		open.Add(1)
		defer open.Done()
		c, err := new(websocket.Upgrader).Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		for {
			kind, msg, err := c.ReadMessage()
			if err != nil {
				return
			}
			counted.Add(1)
			if err := c.WriteMessage(kind, msg); err != nil {
				return
			}
		}
	}))
	t.Cleanup(func() { // after the relay has ended its connections
		s.Close()
		open.Wait()
	})
	return strings.Replace(s.URL, "http", "ws", 1), counted
}

// newKafka starts a broker of kfake, which implements Kafka's protocol, with the topic orders. It counts records.
func newKafka(t *testing.T) (url string, counted *atomic.Int64) {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, "orders"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	counted = new(atomic.Int64)
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		counted.Add(1)
		return nil, nil, false
	})
	return "kafka://" + c.ListenAddrs()[0], counted
}

// newDNS starts the server of miekg/dns over UDP, which answers each query with one address.
func newDNS(t *testing.T) (url string, counted *atomic.Int64) {
	t.Helper()
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return "dns://" + c.LocalAddr().String(), serveDNS(t, &dns.Server{PacketConn: c})
}

// newDNSOverTCP is newDNS over TCP.
func newDNSOverTCP(t *testing.T) (url string, counted *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return "dns+tcp://" + l.Addr().String(), serveDNS(t, &dns.Server{Listener: l, MaxTCPQueries: -1})
}

func serveDNS(t *testing.T, s *dns.Server) (counted *atomic.Int64) {
	counted = new(atomic.Int64)
	s.Handler = dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		counted.Add(1)
		a := new(dns.Msg).SetReply(q)
		a.Answer = []dns.RR{&dns.A{
			Hdr: dns.RR_Header{Name: q.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(192, 0, 2, 1),
		}}
		_ = w.WriteMsg(a)
	})
	var all sync.WaitGroup
	up := make(chan struct{})
	s.NotifyStartedFunc = func() { close(up) }
	all.Go(func() { _ = s.ActivateAndServe() })
	<-up
	t.Cleanup(func() {
		_ = s.Shutdown()
		all.Wait()
	})
	return counted
}

// newDatagrams starts a server of UDP that answers each datagram with itself.
func newDatagrams(t *testing.T) (url string, counted *atomic.Int64) {
	t.Helper()
	counted = new(atomic.Int64)
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for b := make([]byte, 1<<10); ; counted.Add(1) {
			n, from, err := c.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			if _, err := c.WriteToUDPAddrPort(b[:n], from); err != nil {
				return
			}
		}
	})
	t.Cleanup(func() {
		_ = c.Close()
		all.Wait()
	})
	return "udp://" + c.LocalAddr().String(), counted
}

// newJetStream starts a nats-server with a stream of the subjects orders.>.
func newJetStream(t *testing.T) (url string, counted *atomic.Int64) {
	t.Helper()
	url = newNATS(t)
	res := runOnce(t, fmt.Sprintf(`
version: 1
target: {endpoints: {main: %q}}
load: {make: {executor: shared-iterations, vus: 1, iterations: 1, flow: [
  {nats.request: $JS.API.STREAM.CREATE.S, message: {json: {name: S, storage: memory, subjects: ["orders.>"]}}}]}}
`, url), run.Options{})
	if cellOf(res, "run", "ok").Count != 1 {
		t.Fatalf("the stream is not made: %+v", res.Errors)
	}
	return url, nil
}

// newMQTT3 starts a broker that is spoken to by MQTT 3.1.1.
func newMQTT3(t *testing.T) (url string, counted *atomic.Int64) {
	t.Helper()
	return newMosquitto(t) + "?version=3.1.1", nil
}

// mostStreams is how many requests are under way at once on a connection of HTTP/3.
const mostStreams = 3000

// newHTTP3 starts the server of quic-go.
func newHTTP3(t *testing.T) (url string, counted *atomic.Int64) {
	t.Helper()
	counted = new(atomic.Int64)
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	certified := httptest.NewTLSServer(nil)
	defer certified.Close()
	s := &http3.Server{
		Handler:    http.HandlerFunc(func(http.ResponseWriter, *http.Request) { counted.Add(1) }),
		Logger:     slog.New(slog.DiscardHandler),
		TLSConfig:  http3.ConfigureTLSConfig(&tls.Config{Certificates: certified.TLS.Certificates}),
		QUICConfig: &quic.Config{MaxIncomingStreams: mostStreams},
	}
	var all sync.WaitGroup
	all.Go(func() { _ = s.Serve(c) })
	t.Cleanup(func() {
		_ = s.Close()
		_ = c.Close()
		all.Wait()
	})
	return "https://" + c.LocalAddr().String(), counted
}

// newLines starts a server of TCP that answers each line with itself.
func newLines(t *testing.T) (url string, counted *atomic.Int64) {
	t.Helper()
	counted = new(atomic.Int64)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	suite.Serve(t, l, func(c net.Conn) { // until the relay has ended its connections
		defer c.Close()
		for in := bufio.NewReader(c); ; counted.Add(1) {
			line, err := in.ReadBytes('\n')
			if err != nil {
				return
			}
			if _, err := c.Write(line); err != nil {
				return
			}
		}
	})
	return "tcp://" + l.Addr().String(), counted
}

// newPlugin starts a server of which only a plug-in knows the protocol.
func newPlugin(t *testing.T) (url string, counted *atomic.Int64) {
	t.Helper()
	s := targetstest.StartPlugin(t)
	return s.Base(), s.Counted()
}

// newMail starts a server of SMTP that takes every mail, and counts mails.
func newMail(t *testing.T) (url string, counted *atomic.Int64) {
	t.Helper()
	counted = new(atomic.Int64)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	suite.Serve(t, l, func(c net.Conn) { // until the relay has ended its connections
		defer c.Close()
		answer := "220 mail.test\r\n"
		for in := textproto.NewReader(bufio.NewReader(c)); ; {
			if _, err := io.WriteString(c, answer); err != nil {
				return
			}
			line, err := in.ReadLine()
			if err != nil {
				return
			}
			if answer = "250 ok\r\n"; line != "DATA" {
				continue
			}
			if _, err := io.WriteString(c, "354 go\r\n"); err != nil {
				return
			}
			if _, err := in.ReadDotBytes(); err != nil {
				return
			}
			counted.Add(1)
		}
	})
	return "smtp://" + l.Addr().String(), counted
}

// accessLog writes a log of 1000 requests a second, for 10 s.
func accessLog(t *testing.T) (file string) {
	t.Helper()
	var text strings.Builder
	for i := range time.Duration(10_000) {
		at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC).Add(i * time.Millisecond)
		fmt.Fprintf(&text, "{\"time\": %q, \"method\": \"GET\", \"path\": \"/%d\"}\n", at.Format(time.RFC3339Nano), i)
	}
	file = filepath.Join(t.TempDir(), "access.json")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
