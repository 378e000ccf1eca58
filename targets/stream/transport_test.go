package stream_test

import (
	"context"
	"reflect"
	"slices"
	"syscall"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/stream"
	"brunt/targets/targetstest"
)

// echoStep is the YAML of a step that opens a stream of [echoWire].
type echoStep struct {
	syntax.Place
	Echo             string `yaml:"parrot"`
	stream.Keeping   `yaml:",inline"`
	stream.Answering `yaml:",inline"`
}

// echoes is the smallest transport: what is written comes back.
func echoes() stream.Transport {
	return stream.Transport{
		Kind: "parrot", Schemes: []string{"parrot"}, Settings: reflect.TypeFor[echoStep](),
		Compile: func(by syntax.Block, _ targets.Scope, m *syntax.Mistakes) (*stream.Opened, bool) {
			s, ok := syntax.Resolve(by, map[string]func() *echoStep{by.Kind: func() *echoStep { return new(echoStep) }}, m)
			if !ok {
				return nil, false
			}
			o := &stream.Opened{Opening: echoOpening(s.Echo), Place: &s.Place, Keeping: &s.Keeping, Answering: &s.Answering}
			n := &syntax.Node{Kind: syntax.String, Value: "hello"}
			t := new(template.JSON)
			t.DecodeNode(n, m)
			o.First = stream.JSONMessage(t, n)
			return o, true
		},
		Client: func(o targets.Options) (stream.Carrier, error) {
			return &echoCarrier{targets.NewPool[*echoConn](&o), &o}, nil
		},
	}
}

type echoConn struct{ targets.Lease }

func (*echoConn) Close() error { return nil }

type echoCarrier struct {
	*targets.Pool[*echoConn]
	o *targets.Options
}

type echoOpening string

func (o echoOpening) URL() string                                   { return string(o) }
func (o echoOpening) Refs() []*syntax.Ref                           { return nil }
func (o echoOpening) Check(*stream.MessageSource, *syntax.Mistakes) {}
func (o echoOpening) Bind(context.Context, stream.Carrier) error    { return nil }
func (o echoOpening) Fill(_ *template.Iter, by stream.Carrier) (stream.Request, error) {
	return &echoRequest{by.(*echoCarrier), string(o)}, nil
}

type echoRequest struct {
	*echoCarrier
	name string
}

func (r *echoRequest) Describe(s *result.Sent) { s.URL = "parrot://" + r.name }
func (r *echoRequest) Open(_ time.Duration, out *scenarios.Outcome) (stream.Wire, error) {
	out.Slot = r.o.Now()
	out.Sent, out.WasSent = out.Slot, true
	return &echoWire{o: r.o, came: make(chan []byte, 10), over: make(chan struct{})}, nil
}

// echoWire is a stream whose write fails for the message "break".
type echoWire struct {
	o    *targets.Options
	came chan []byte
	over chan struct{}
}

func (w *echoWire) Read() (*stream.Message, error) {
	select {
	case b := <-w.came:
		at := w.o.Now()
		return &stream.Message{Data: b, First: at, End: at}, nil
	case <-w.over:
		return nil, syscall.ECONNRESET
	}
}

func (w *echoWire) Append(dst, data []byte, _ bool) ([]byte, error) { return append(dst, data...), nil }

func (w *echoWire) Write(b []byte, _ time.Duration) (time.Duration, error) {
	if string(b) == "break" {
		return w.o.Now(), syscall.ECONNRESET
	}
	time.Sleep(time.Millisecond) // simulates a write
	w.came <- slices.Clone(b)
	return w.o.Now(), nil
}

func (w *echoWire) Leave() (bool, error) { return false, nil }
func (w *echoWire) Close(bool) error {
	close(w.over)
	return nil
}

// TestTransport_Sent: a message that could not be written counts as not sent, and the first message of a stream
// leaves the time at which the stream was asked for.
func TestTransport_Sent(t *testing.T) {
	d := stream.Descriptor(echoes())
	d.Kinds = append(slices.Clone(d.Kinds), "parrot")
	f := &fixture{t0: time.Now(), flow: targetstest.Compile(t, d, "",
		`{parrot: polly, as: bird, name: join, expect: exists}`,
		`{send: hello, to: bird, expect: hello}`, `{send: break, to: bird, name: say, expect: exists}`)}
	var err error
	if f.Client, err = d.Client(targets.Options{
		Base: "parrot://cage", T0: f.t0, Timeout: long, Sampler: f,
		Emit: func(_ *template.Iter, c scenarios.Call, n int, out *scenarios.Outcome) {
			f.parts = append(f.parts, part{c.Name(), n, *out})
		},
	}); err != nil {
		t.Fatal(err)
	}
	defer f.Client.Close()
	u := f.user(t, 0)
	open := good(t, u, 0)
	good(t, u, 1)
	if out := u.Do(2, long); out.WasSent || out.Cause.String() != "reset" {
		t.Errorf("%q: %+v", out.Cause, out)
	}
	d.EndIteration(u.Session, &u.It)
	held := f.of("join", heldTime)
	if len(held) != 1 || open.Sent != held[0].Intended || open.First < open.Sent+time.Millisecond {
		t.Errorf("asked for at %v, held %+v", open.Sent, held)
	}
	if len(f.kept) != 1 || f.kept[0].Request != "send parrot://polly" {
		t.Errorf("samples %+v", f.kept)
	}
}
