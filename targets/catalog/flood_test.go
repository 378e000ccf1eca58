package catalog_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/budget"
	"brunt/scenarios/result"
	"brunt/scenarios/suite"
	"brunt/targets"
	"brunt/targets/catalog"
	"brunt/targets/dial"
	"brunt/targets/targetstest"
)

// A flood is a server that says something, and then the same again and again, until the other side ends the connection.
type flood struct {
	of    string // a row of hostile, for its URL
	step  string
	says  string // before
	again string
}

const jsonOf = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

// floods are the answers that take the most memory for what a server sends, in each protocol.
var floods = []flood{
	{"HTTP", `{get: /, check: {"$.a": 1}}`, pause + jsonOf + "\r\n", "["},
	{"HTTP", `{get: /, check: {"$.a": 1}}`, pause + jsonOf + "Content-Length: 67000000\r\n\r\n[", `{"a":1},`},
	{"events", `{sse: /}`, pause + "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: ", "x"},
	{"TCP", `{tcp: lines, as: chat, expect: exists}`, "", "x"},
	{"TCP", `{tcp: lines, as: chat, expect: none}`, "", "a line\n"},
	{"frames", `{tcp: {length: 8}, as: chat, expect: exists}`, "\x00\x00\x00\x00\x03\x00\x00\x00", "["},
	{"Redis", `{redis: [GET, a], check: {$: 1}}`, pause + "%1\r\n+a\r\n+b\r\n" + pause + "*2000000000\r\n", "%1\r\n+a\r\n+b\r\n"},
	{"Redis", `{redis: [GET, a], check: {$: 1}}`, pause + "%1\r\n+a\r\n+b\r\n" + pause, "*1\r\n"},
	{"Redis", `{redis: [GET, a], check: {$: 1}}`, pause + "%1\r\n+a\r\n+b\r\n" + pause + "$30000000\r\n", "["},
	{"MySQL", `{sql: select 1, check: {"$[0].a": 1}}`, greeting, "\xff\xff\xff\x01" + strings.Repeat("x", 1<<24-1)},
	{
		"PostgreSQL", `{sql: select 1, check: {"$[0].a": 1}}`,
		pause + "R\x00\x00\x00\x08\x00\x00\x00\x00Z\x00\x00\x00\x05I" + pause, "D\x00\x1f\xff\xff" + strings.Repeat("x", 2<<20-5),
	},
	{"Kafka", `{kafka.consume: a, group: g, messages: 1}`, kafkaVersions + pause + "\x03\x00\x00\x00\x00\x00\x00\x02", "\x00"},
	{
		"AMQP", `{amqp.consume: q, messages: 2, within: 200ms}`,
		hostileSays("AMQP", 2) + pause + "\x01\x00\x01\x00\x00\x00\x07\x00\x3c\x00\x15\x02ct\xce", "\x01\x00\x01\x00\x00\x00\x0e\x00\x3c\x00\x3c\x00" +
			"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xce\x02\x00\x01\x00\x00\x00\x0e\x00\x3c\x00\x00\x00\x00\x00\x00\x00\x0f\x00\x00\x00\x00\xce" +
			"\x03\x00\x01\x00\x0f\x00\x00" + strings.Repeat("[", 0xf0000) + "\xce",
	},
	{"MongoDB", `{mongo.find: a, limit: 2, check: {"$[0].a": 1}}`, pause + mongoHello + pause + "\x00\x6c\xdc\x02" + mongoFound[4:21], "["},
	{"SMTP", `{smtp.send: ann@x, body: hi}`, "220 a\r\n" + pause, "250-a\r\n"},
	{"NATS", `{nats.consume: S, consumer: c, messages: 2, within: 200ms}`, natsHello, "MSG a 1 1000000\r\n" + strings.Repeat("[", 1_000_000) + "\r\n"},
	{"NATS", `{nats.consume: S, consumer: c, messages: 2, within: 200ms}`, natsHello + "MSG a 1 60000000\r\n", "["},
	{
		"MQTT", `{mqtt.subscribe: a, messages: 2, within: 200ms, keep: user}`, mqttHello + pause + "\x90\x04\x00\x01\x00\x01",
		"\x30\x84\x80\x40\x00\x01a\x00" + strings.Repeat("[", 1<<20),
	},
	{"memcached", `{memcached.get: a, check: {"$.a": 1}}`, memcachedHello + "VA 60000000 c7\r\n", "["},
	{"DNS over TCP", `{dns: a.example A}`, pause + "\xff\xff", "x"},
	{"gRPC", `grpc: health`, "\x00\x00\x00\x04\x00\x00\x00\x00\x00", "\x00\x00\x08\x06\x00\x00\x00\x00\x00pingping"},
}

// hostileSays returns the beginning of what a server in hostile says.
func hostileSays(name string, i int) string {
	n := slices.IndexFunc(hostile, func(h hostileServer) bool { return h.name == name })
	return hostile[n].says[i]
}

// bomb is 72 MiB of zeros in a few bytes of gzip.
var bomb = func() string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	zeros := make([]byte, 1<<20)
	for range 72 {
		_, _ = w.Write(zeros)
	}
	_ = w.Close()
	return b.String()
}()

// bounded are the messages of calls that a bound of brunt's has ended: what a server says else shows that a row of
// floods is not what it is meant to be.
var bounded = regexp.MustCompile(`timeout|deadline exceeded|closed network connection|at most 64MiB of answers|` +
	`over (the )?\d+ ?MiB|has more than \d+ li|ENHANCE_YOUR_CALM|compressed, which was not|not an answer to the query|` +
	`has no grpc-status|no message came|other columns than announced`)

// serve says it to each connection, and ends with the test.
func (f *flood) serve(t *testing.T) (address string) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var mu sync.Mutex
	var open []net.Conn
	much := f.much()
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open = append(open, c)
			mu.Unlock()
			all.Go(func() {
				defer c.Close()
				heard := make([]byte, 4096)
				for i, part := range strings.Split(f.says, pause) {
					if i > 0 {
						_, _ = c.Read(heard)
					}
					_, _ = c.Write([]byte(part))
				}
				repeat(c, much)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for _, c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		all.Wait()
	})
	return l.Addr().String()
}

// write says it.
func (f *flood) write(w io.Writer) {
	if _, err := io.WriteString(w, f.says); err == nil {
		repeat(w, f.much())
	}
}

// block is how many bytes a flood says at once.
const block = 64 << 10

// much is what it says at once of what it repeats; empty: nothing.
func (f *flood) much() []byte {
	return []byte(strings.Repeat(f.again, max(1, block/max(1, len(f.again)))))
}

// repeat says the same again and again, until the other side has enough.
func repeat(w io.Writer, much []byte) {
	for len(much) > 0 {
		if _, err := w.Write(much); err != nil {
			return
		}
	}
}

// TestFloods: servers of all protocols at once whose answers have no end, or grow when they are decoded, take no more
// than the budget. Each call returns, its client is closed within a bound though the server still sends, and nothing of
// the budget stays behind.
func TestFloods(t *testing.T) {
	measured(t, func(all *sync.WaitGroup) {
		for i := range floods {
			f := &floods[i]
			all.Go(func() { f.call(t, targets.Options{Base: baseOf(t, f.of, f.serve(t))}, "") })
		}
	})
}

// bounds tests that a bound of brunt's has ended each failed call, and that no call blames the server for one.
type bounds struct {
	t  *testing.T
	of *flood
	// a fast machine gets to the end of some floods, whose rest is not of their protocol; of the others it tests that a
	// bound ended them
	mayEnd bool
}

func (bounds) Want(o *scenarios.Outcome) bool { return o.Kind == scenarios.Error }

func (b bounds) Keep(o *scenarios.Outcome, s result.Sample) {
	blames := o.Cause == scenarios.Protocol && strings.Contains(s.Message, "brunt holds and decodes")
	if !b.mayEnd && !bounded.MatchString(s.Message) || blames {
		b.t.Errorf("%s: %s: %v: %s", b.of.of, b.of.step, o.Cause, s.Message)
	}
}

// measured makes calls, and tests that they take less than 300 MiB, and that nothing of the budget is held then.
func measured(t *testing.T, calls func(all *sync.WaitGroup)) {
	var most atomic.Uint64 // bytes
	stop, sampled := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(sampled)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			most.Store(max(most.Load(), now.HeapInuse+now.StackInuse))
			select {
			case <-tick.C:
			case <-stop:
				return
			}
		}
	}()
	var all sync.WaitGroup
	calls(&all)
	all.Wait()
	close(stop)
	<-sampled
	if most := most.Load() >> 20; most > 300 {
		t.Errorf("it took %d MiB", most)
	}
	if !suite.Within(long, func() bool {
		runtime.GC() // of what a connection had read and no call took
		return budget.Held() == 0
	}) {
		t.Errorf("%d bytes of the budget are held", budget.Held())
	}
}

// baseOf returns the URL of a server that speaks as a row of hostile does.
func baseOf(t *testing.T, name, address string) string {
	return strings.ReplaceAll(serverOf(t, name).base, "ADDR", address)
}

// call makes calls by several users at once, and closes their client. Bound is the server by which they are bound;
// empty: none.
func (f *flood) call(t *testing.T, o targets.Options, bound string) {
	set := catalog.New()
	flow := targetstest.Compile(t, &targets.Descriptor{Kinds: set.Kinds(), Compile: set.Compile, Beside: set.Beside()}, "",
		f.step)
	o.Timeout, o.T0, o.Sampler = time.Second, time.Now(), bounds{t, f, bound == ""}
	var err error
	if o.Network, err = dial.NewNetwork(&o); err != nil {
		t.Error(err)
		return
	}
	of := set.Select(flow.Calls...)
	if bound != "" && f.of == "gRPC" {
		by := o
		by.Base = bound
		if err := of.BindOnce(t.Context(), by); err != nil {
			t.Error(err)
		}
	}
	client, err := of.Client(o)
	if err != nil {
		t.Error(err)
		return
	}
	var all sync.WaitGroup
	for vu := range 4 {
		user := flow.Open(t, client, o.T0, vu)
		all.Go(func() {
			for range 2 {
				const within = 500 * time.Millisecond
				out := user.Do(0, within)
				if late := time.Since(o.T0) - user.It.Deadline; late > long || out.Cause == scenarios.Panicked {
					t.Errorf("%s: %s: %v after its deadline: %+v", f.of, f.step, late, out)
				}
			}
			_ = user.Session.Close()
		})
	}
	all.Wait()
	began := time.Now()
	if err := client.Close(); err != nil {
		t.Errorf("%s: %s: closed after %v: %v", f.of, f.step, time.Since(began), err)
	}
}

// TestFloods_All: each protocol of the catalog has a server in hostile that floods.
func TestFloods_All(t *testing.T) {
	for _, d := range catalog.Protocols() {
		if d.Runs { // a program of the user's
			continue
		}
		if !slices.ContainsFunc(floods, func(f flood) bool {
			scheme, _, _ := strings.Cut(serverOf(t, f.of).base, "://")
			return slices.Contains(d.Schemes, scheme) || d.Base && scheme == "http"
		}) {
			t.Errorf("no server of floods speaks %s", d.Name)
		}
	}
}
