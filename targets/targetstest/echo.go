package targetstest

import (
	"bufio"
	"context"
	"fmt"
	"reflect"
	"strings"
	"sync/atomic"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
)

// Echo is a test protocol: a step sends a line and reads the server's answer, which is a line too. It uses every
// field of a descriptor, and shows that a protocol needs one file and one line in a catalog.
//
//	step --Compile--> echoCall --Do--> Places.Get -> echoConn.ask -> Places.Put -> Outcome
type Echo struct {
	Bound atomic.Int64 // calls that were bound
	Ended atomic.Int64 // iterations that ended in a session

	Unbound error // error of binding a call; nil: binding succeeds
}

// Descriptor describes the protocol.
func (e *Echo) Descriptor() *targets.Descriptor {
	d := &targets.Descriptor{
		Name: "parrot", Doc: "Sends a line and reads it back.", Kinds: []string{"parrot"}, Schemes: []string{"parrot"},
		Wires:    map[string]targets.Wire{"parrot": {Formats: []string{"lines"}, Port: 7}},
		Settings: reflect.TypeFor[echoStep](), Causes: []scenarios.CauseFamily{echoRefusals},
	}
	d.Compile = func(step syntax.Block, in targets.Scope, m *syntax.Mistakes) (scenarios.Call, bool) {
		s, ok := syntax.Resolve(step, map[string]func() *echoStep{"parrot": func() *echoStep { return new(echoStep) }}, m)
		c := &echoCall{step: s, name: in.Name}
		if c.name == "" {
			c.name = "echo"
		}
		if ok && s.Want != "" {
			c.check = in.AddCheck("the answer is " + s.Want)
		}
		return c, ok
	}
	d.Client = func(o targets.Options) (targets.Client, error) {
		at, err := o.Endpoint(d)
		if err != nil {
			return nil, err
		}
		c := &echoClient{o: o, address: at.Host}
		c.Pool = targets.NewPool[*echoConn](&c.o)
		c.places = c.To(targets.Connector[*echoConn]{Dial: c.dial})
		return c, nil
	}
	d.Bind = func(ctx context.Context, _ scenarios.Call, by targets.Client) error {
		if e.Unbound != nil {
			return e.Unbound
		}
		conn, err := by.(*echoClient).dial(ctx, 0)
		if err != nil {
			return err
		}
		e.Bound.Add(1)
		return conn.Close()
	}
	d.Parts = func(scenarios.Call) []string { return []string{"first byte"} }
	d.EndIteration = func(targets.Session, *template.Iter) { e.Ended.Add(1) }
	d.Absent = func(_ scenarios.Call, out *scenarios.Outcome) bool { return out.Status == echoNone }
	d.Retry = func(_ scenarios.Call, out *scenarios.Outcome) bool { return out.Status == echoBusy }
	return d
}

// echoNone and echoBusy are the statuses of the answers "none" and "busy".
const (
	echoNone = 1
	echoBusy = 2
)

// echoRefusals are the causes of answers such as "refused 7".
var echoRefusals = scenarios.CauseFamily{
	First: 0x7f00 << 16, Name: func(number int32) string { return fmt.Sprintf("refusal %d", number) },
}

type echoStep struct {
	syntax.Place
	Echo template.Text `yaml:"parrot"` // the line to send
	Want string        `yaml:"want"`   // the expected answer; zero is any
}

type echoCall struct {
	step  *echoStep
	name  string
	check int // index of the check of Want
}

func (c *echoCall) Name() string { return c.name }

func (c *echoCall) Traits() scenarios.CallTraits {
	return scenarios.CallTraits{Refs: c.step.Echo.Refs()}
}

type echoClient struct {
	*targets.Pool[*echoConn]
	o       targets.Options
	address string
	places  *targets.Places[*echoConn]
}

func (c *echoClient) Open(int) (targets.Session, error) { return &echoSession{client: c}, nil }

func (c *echoClient) dial(ctx context.Context, n uint64) (*echoConn, error) {
	raw, err := c.o.Network.Dial(ctx, c.address, n)
	if err != nil {
		return nil, err
	}
	conn := &echoConn{Stamped: targets.Stamp(raw, c.o.Now)}
	conn.in = bufio.NewReader(conn.Stamped)
	return conn, nil
}

type echoConn struct {
	targets.Lease
	*targets.Stamped
	in *bufio.Reader
}

// ask sends a line and reads the answer.
func (c *echoConn) ask(line []byte, out *scenarios.Outcome) (string, error) {
	if _, err := c.Write(append(line, '\n')); err != nil {
		return "", err
	}
	out.WasSent = true
	answer, err := c.in.ReadString('\n')
	out.Sent, out.First = c.Times()
	return answer, err
}

type echoSession struct{ client *echoClient }

func (s *echoSession) Close() error { return nil }

func (s *echoSession) Do(it *template.Iter, call scenarios.Call, out *scenarios.Outcome) {
	c, e := s.client, call.(*echoCall)
	line, err := e.step.Echo.Append(nil, it)
	if err != nil {
		out.Slot = c.o.Now()
	} else {
		err = s.exchange(line, it, e, out)
	}
	if err != nil {
		targets.Fail(out, err, c.o.Now(), it.Deadline, c.Over().Err() != nil)
	} else if part := (scenarios.Outcome{
		Intended: out.Intended, Ready: out.Ready, Slot: out.Slot, Sent: out.Sent, First: out.First, End: out.First,
		WasSent:  true,
		Answered: true,
	}); c.o.Emit != nil {
		c.o.Emit(it, call, 0, &part)
	}
	s.sample(e, string(line), err, out)
}

// exchange sends the line and fills in the outcome of the answer.
func (s *echoSession) exchange(line []byte, it *template.Iter, call *echoCall, out *scenarios.Outcome) error {
	c := s.client
	conn, slot, _, err := c.places.Get(it.Deadline, &out.Opening)
	out.Slot = slot
	if err != nil {
		return err
	}
	_ = conn.SetDeadline(c.o.T0.Add(it.Deadline))
	answer, err := conn.ask(line, out)
	out.End = c.o.Now()
	c.places.Put(conn, err == nil && c.o.KeepsAlive())
	switch {
	case err != nil:
		return err
	case out.End > it.Deadline:
		return targets.ErrLate
	}
	out.Answered, out.Bytes = true, int64(len(answer))
	switch answer {
	case "none\n":
		out.Status = echoNone
	case "busy\n":
		out.Status = echoBusy
	}
	var number int32
	if n, _ := fmt.Sscanf(answer, "refused %d", &number); n == 1 {
		out.Kind, out.Cause = scenarios.Error, echoRefusals.Cause(number)
		return nil
	}
	if want := call.step.Want; want != "" {
		out.Checks++
		if strings.TrimSuffix(answer, "\n") != want {
			out.Failed++
			out.Kind, out.Cause = scenarios.Error, scenarios.Check(call.check)
		}
	}
	return nil
}

// sample keeps the request for the report, if the sampler wants it.
func (s *echoSession) sample(call *echoCall, line string, err error, out *scenarios.Outcome) {
	k := s.client.o.Sampler
	if k == nil || !k.Want(out) {
		return
	}
	sm := result.Sample{
		At: out.Intended.Seconds(), Step: call.name, Request: "parrot " + line, Status: int(out.Status),
		Sent: &result.Sent{Method: "parrot", URL: line},
	}
	switch {
	case err != nil:
		sm.Message = targets.Explain(err)
	case echoRefusals.Has(out.Cause):
		sm.Message = "the server refused it"
	case out.Kind == scenarios.Error:
		sm.Message = fmt.Sprintf("the answer is not %q", call.step.Want)
	}
	k.Keep(out, sm)
}
