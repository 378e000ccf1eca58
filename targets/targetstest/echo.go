package targetstest

import (
	"bufio"
	"context"
	"io"
	"net"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
)

// Echo is a test protocol: a step sends a line and reads the line that the server answers with. It
// uses every field of a descriptor, and shows that a protocol is one file and one line in a catalog.
type Echo struct {
	Bound atomic.Int64 // calls that were bound
	Ended atomic.Int64 // iterations that ended in a session
}

// Descriptor describes the protocol.
func (e *Echo) Descriptor() *targets.Descriptor {
	d := &targets.Descriptor{
		Name: "parrot", Doc: "Sends a line and reads it back.", Kinds: []string{"parrot"}, Schemes: []string{"parrot"}, Settings: reflect.TypeFor[echoStep](),
	}
	d.Compile = func(step syntax.Block, in targets.Scope, m *syntax.Mistakes) (scenarios.Call, bool) {
		s, ok := syntax.Resolve(step, map[string]func() *echoStep{"parrot": func() *echoStep { return new(echoStep) }}, m)
		c := &echoCall{step: s, name: in.Name}
		if c.name == "" {
			c.name = "echo"
		}
		return c, ok
	}
	d.Client = func(o targets.Options) (targets.Client, error) {
		at, err := o.Endpoint(d)
		if err != nil {
			return nil, err
		}
		c := &echoClient{o: o, address: at.Host}
		c.over, c.end = context.WithCancel(context.Background())
		return c, nil
	}
	d.Bind = func(ctx context.Context, _ scenarios.Call, by targets.Client) error {
		conn, err := by.(*echoClient).o.Network.Dial(ctx, by.(*echoClient).address, 0)
		if err != nil {
			return err
		}
		e.Bound.Add(1)
		return conn.Close()
	}
	d.Parts = func(scenarios.Call) []string { return []string{"first byte"} }
	d.EndIteration = func(s targets.Session, _ *template.Iter) {
		e.Ended.Add(1)
		s.(*echoSession).hangUp()
	}
	d.Absent = func(_ scenarios.Call, out *scenarios.Outcome) bool { return out.Status == echoNone }
	d.Retry = func(_ scenarios.Call, out *scenarios.Outcome) bool { return out.Status == echoBusy }
	return d
}

// echoNone and echoBusy are the statuses of the answers "none" and "busy".
const (
	echoNone = 1
	echoBusy = 2
)

type echoStep struct {
	syntax.Place
	Echo template.Text `yaml:"parrot"` // the line
}

type echoCall struct {
	step *echoStep
	name string
}

// Name implements [scenarios.Call].
func (c *echoCall) Name() string { return c.name }

// Refs returns the placeholders of the line.
func (c *echoCall) Refs() []*syntax.Ref { return c.step.Echo.Refs() }

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
	if part := (scenarios.Outcome{
		Intended: out.Intended, Ready: out.Ready, Slot: out.Slot, Sent: out.Sent, First: out.First, End: out.First, WasSent: true,
		Answered: true,
	}); c.o.Emit != nil {
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
	switch answer {
	case "none\n":
		out.Status = echoNone
	case "busy\n":
		out.Status = echoBusy
	}
	return nil
}

// StartEcho starts a server that answers each line with itself. "add KEY" stores a key, and
// "find KEY" is answered by none if it is not stored. Open returns how many connections were opened.
func StartEcho(t *testing.T) (address string, open func() int) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &echoServer{keys: map[string]bool{}}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s.opened.Add(1)
			all.Go(func() {
				defer c.Close()
				s.serve(c)
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		all.Wait()
	})
	return l.Addr().String(), func() int { return int(s.opened.Load()) }
}

type echoServer struct {
	opened atomic.Int64
	mu     sync.Mutex
	keys   map[string]bool
}

func (s *echoServer) serve(c net.Conn) {
	for in := bufio.NewReader(c); ; {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		if _, err := io.WriteString(c, s.answer(line)); err != nil {
			return
		}
	}
}

func (s *echoServer) answer(line string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	verb, key, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch {
	case verb == "add":
		s.keys[key] = true
	case verb == "find" && !s.keys[key]:
		return "none\n"
	}
	return line
}
