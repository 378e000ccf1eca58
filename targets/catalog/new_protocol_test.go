package catalog_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/catalog"
	"brunt/targets/targetstest"
)

// echo is a test protocol: a step sends a line and reads the line that the server answers
// with. It uses every field of a descriptor.
func echo() *targets.Descriptor {
	d := &targets.Descriptor{Name: "echo", Doc: "Sends a line and reads it back.", Kinds: []string{"echo"}, Schemes: []string{"echo"}, Settings: reflect.TypeFor[echoStep]()}
	d.Compile = func(step syntax.Block, in targets.Scope, m *syntax.Mistakes) (scenarios.Call, bool) {
		s, ok := syntax.Resolve(step, map[string]func() *echoStep{"echo": func() *echoStep { return new(echoStep) }}, m)
		return &echoCall{step: s, name: "echo"}, ok
	}
	d.Client = func(o targets.Options) (targets.Client, error) {
		at, err := o.Endpoint(d, "")
		if err != nil {
			return nil, err
		}
		c := &echoClient{o: o, address: at.Host}
		c.over, c.end = context.WithCancel(context.Background())
		return c, nil
	}
	d.Bind = func(ctx context.Context, c scenarios.Call, by targets.Client) error {
		conn, err := by.(*echoClient).o.Network.Dial(ctx, by.(*echoClient).address, 0)
		if err != nil {
			return err
		}
		c.(*echoCall).bound = true
		return conn.Close()
	}
	d.Parts = func(scenarios.Call) []string { return []string{"first byte"} }
	d.EndIteration = func(s targets.Session, _ *template.Iter) { s.(*echoSession).hangUp() }
	d.Absent = func(_ scenarios.Call, out *scenarios.Outcome) bool { return out.Status == 404 }
	return d
}

type echoStep struct {
	syntax.Place
	Echo template.TextTemplate `yaml:"echo"` // the line
}

type echoCall struct {
	step  *echoStep
	name  string
	bound bool
}

func (c *echoCall) Name() string { return c.name }

type echoClient struct {
	o       targets.Options
	address string
	over    context.Context
	end     context.CancelFunc

	mu     sync.Mutex
	opened int64
}

func (c *echoClient) Open(int) (targets.Session, error) { return &echoSession{client: c}, nil }
func (c *echoClient) Abort()                            { c.end() }
func (c *echoClient) Close() error                      { c.end(); return nil }
func (c *echoClient) Opened() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.opened
}

type echoSession struct {
	client *echoClient
	conn   *targets.Stamped
}

func (s *echoSession) hangUp() {
	if s.conn != nil {
		_ = s.conn.Close()
		s.conn = nil
	}
}

func (s *echoSession) Close() error { s.hangUp(); return nil }

func (s *echoSession) Do(it *template.Iter, call scenarios.Call, out *scenarios.Outcome) {
	c := s.client
	out.Slot = c.o.Now()
	if err := s.exchange(it, call.(*echoCall), out); err != nil {
		targets.Fail(out, err, c.o.Now(), it.Deadline, c.over.Err() != nil)
		return
	}
	if part := (scenarios.Outcome{Intended: out.Intended, Ready: out.Ready, Slot: out.Slot, Sent: out.Sent, First: out.First, End: out.First, WasSent: true, Answered: true}); c.o.Emit != nil {
		c.o.Emit(it, call, 0, &part)
	}
}

func (s *echoSession) exchange(it *template.Iter, call *echoCall, out *scenarios.Outcome) error {
	c := s.client
	if s.conn == nil {
		ctx, cancel := context.WithDeadline(c.over, c.o.T0.Add(it.Deadline))
		defer cancel()
		conn, err := c.o.Network.Dial(ctx, c.address, uint64(it.VU))
		if err != nil {
			return err
		}
		s.conn = targets.Stamp(conn, c.o.Now)
		c.mu.Lock()
		c.opened++
		c.mu.Unlock()
	}
	line, err := call.step.Echo.Append(nil, it)
	if err != nil {
		return err
	}
	_ = s.conn.SetDeadline(c.o.T0.Add(it.Deadline))
	if _, err := s.conn.Write(append(line, '\n')); err != nil {
		return err
	}
	answer, err := bufio.NewReader(s.conn).ReadString('\n')
	if err != nil {
		return err
	}
	out.Sent, out.First = s.conn.Times()
	out.WasSent, out.Answered, out.End, out.Bytes = true, true, c.o.Now(), int64(len(answer))
	if answer == "none\n" {
		out.Status = 404
	}
	return nil
}

// startEcho starts a server that echoes each line. Open counts connections.
func startEcho(t *testing.T) (address string, open func() int) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	n := 0
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			n++
			mu.Unlock()
			all.Go(func() {
				defer c.Close()
				_, _ = io.Copy(c, c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		all.Wait()
	})
	return l.Addr().String(), func() int {
		mu.Lock()
		defer mu.Unlock()
		return n
	}
}

// TestNewProtocol adds a protocol by one file and one line, and runs its steps beside HTTP
// steps in one load.
func TestNewProtocol(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }))
	defer web.Close()
	address, opened := startEcho(t)
	set := catalog.NewSet(append(catalog.Protocols(), echo())...) // the one line
	if !slices.Contains(set.Kinds(), "echo") || !slices.Contains(set.Kinds(), "get") {
		t.Fatalf("kinds: %v", set.Kinds())
	}
	flow := targetstest.Compile(t, &targets.Descriptor{Kinds: set.Kinds(), Compile: set.Compile}, "", "get: /", `echo: "line ${int(7,7)}"`, "echo: none")
	get, say, none := flow.Calls[0], flow.Calls[1], flow.Calls[2]
	if set.Of(get).Name != "http" || set.Of(say).Name != "echo" || !slices.Equal(set.Parts(say), []string{"first byte"}) || set.Parts(get) != nil {
		t.Errorf("%s, %s, parts %v and %v", set.Of(get).Name, set.Of(say).Name, set.Parts(say), set.Parts(get))
	}
	var parts []scenarios.Outcome
	o := targets.Options{
		Base: web.URL, Endpoints: map[string]string{"line": "echo://" + address}, Timeout: 10 * time.Second, T0: time.Now(),
		Emit: func(_ *template.Iter, c scenarios.Call, part int, out *scenarios.Outcome) {
			if c == say && part == 0 {
				parts = append(parts, *out)
			}
		},
	}
	client, err := set.Client(o)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := set.Bind(t.Context(), client, flow.Calls...); err != nil || !say.(*echoCall).bound {
		t.Fatalf("bound: %v, %v", say.(*echoCall).bound, err)
	}
	user := flow.Open(t, client, o.T0, 0)
	for i := range 2 {
		if out := user.Do(0, 10*time.Second); out.Kind != scenarios.OK || out.Status != 200 || set.Absent(get, &out) {
			t.Fatalf("%+v", out)
		}
		out := user.Do(1, 10*time.Second)
		if out.Kind != scenarios.OK || out.Bytes != int64(len("line 7\n")) || out.Sent > out.First || out.First > out.End || set.Absent(say, &out) {
			t.Fatalf("%+v", out)
		}
		if len(parts) != i+1 || parts[i].End != out.First {
			t.Fatalf("parts: %+v of %+v", parts, out)
		}
		if out := user.Do(2, 10*time.Second); !set.Absent(none, &out) {
			t.Errorf("not absent: %+v", out)
		}
		set.EndIteration(user.Session, &user.It)
	}
	if n := opened(); n != 4 { // two to bind, one for each iteration
		t.Errorf("%d connections", n)
	}
	if client.Opened() != 3 { // two to the echo server, one to the web server
		t.Errorf("opened %d", client.Opened())
	}
	client.Abort()
	if out := user.Do(1, 10*time.Second); out.Cause != scenarios.Unfinished {
		t.Errorf("after the abort: %+v", out)
	}
}

// A load whose steps use one protocol gets that protocol's own client.
func TestSet_OneProtocol(t *testing.T) {
	set := catalog.NewSet(append(catalog.Protocols(), echo())...)
	flow := targetstest.Compile(t, &targets.Descriptor{Kinds: set.Kinds(), Compile: set.Compile}, "", "echo: hi")
	client, err := set.Client(targets.Options{Base: "echo://127.0.0.1:1", T0: time.Now(), Allow: func(netip.Addr, string, string) error { return errors.New("no") }})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, bare := client.(*echoClient); !bare {
		t.Errorf("the client is %T", client)
	}
	if out := flow.Open(t, client, time.Now(), 0).Do(0, time.Second); out.Cause != scenarios.NotAllowed {
		t.Errorf("%+v", out)
	}
}

// A protocol describes itself in one sentence, and no two have a kind in common.
func TestProtocols(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range catalog.Protocols() {
		if !strings.HasSuffix(d.Doc, ".") || d.Name == "" || len(d.Schemes) == 0 {
			t.Errorf("%s: %q, %v", d.Name, d.Doc, d.Schemes)
		}
		for _, kind := range d.Kinds {
			if seen[kind] {
				t.Errorf("%s: kind %s is another's", d.Name, kind)
			}
			seen[kind] = true
		}
	}
}
