package stream_test

import (
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/suite"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/stream"
	"brunt/targets/targetstest"
)

// long is a timeout that passes only if something is broken.
const long = 30 * time.Second

// part is what a session handed over besides the outcomes of its steps.
type part struct {
	call string
	part int
	scenarios.Outcome
}

// fixture is a client of some steps.
type fixture struct {
	targets.Client
	flow *targetstest.Flow
	t0   time.Time

	mu    sync.Mutex
	parts []part
	kept  []result.Sample
	steps []int32 // of kept
}

func newFixture(t testing.TB, base string, steps ...string) *fixture {
	t.Helper()
	f := &fixture{t0: time.Now(), flow: targetstest.Compile(t, stream.Descriptor(), "", steps...)}
	o := targets.Options{
		Base: base, T0: f.t0, Timeout: long, Agent: "brunt", Sampler: f, TLS: &scenarios.TLS{InsecureSkipVerify: true},
	}
	o.Emit = func(_ *template.Iter, c scenarios.Call, n int, out *scenarios.Outcome) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.parts = append(f.parts, part{c.Name(), n, *out})
	}
	var err error
	if f.Client, err = stream.Descriptor().Client(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Client.Close() })
	return f
}

func (f *fixture) Want(o *scenarios.Outcome) bool { return o.Kind == scenarios.Error }

func (f *fixture) Keep(o *scenarios.Outcome, s result.Sample) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.kept, f.steps = append(f.kept, s), append(f.steps, o.Step)
}

// of returns the outcomes of a part.
func (f *fixture) of(call string, n int) (out []scenarios.Outcome) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, p := range f.parts {
		if p.call == call && p.part == n {
			out = append(out, p.Outcome)
		}
	}
	return out
}

func (f *fixture) user(t testing.TB, vu int) *targetstest.User {
	return f.flow.Open(t, f.Client, f.t0, vu)
}

// ended ends the iteration of a user.
func ended(u *targetstest.User) { stream.Descriptor().EndIteration(u.Session, &u.It) }

// good makes a call that is to be ok.
func good(t *testing.T, u *targetstest.User, i int) scenarios.Outcome {
	t.Helper()
	out := u.Do(i, long)
	if out.Kind != scenarios.OK || !out.WasSent || !out.Answered || out.Slot > out.Sent || out.Sent > out.First ||
		out.First > out.End {
		t.Fatalf("step %d: %v %q: %+v", i, out.Kind, out.Cause, out)
	}
	return out
}

func within(t *testing.T, what string, done func() bool) {
	t.Helper()
	if !suite.Within(long, done) {
		t.Fatalf("%s never came", what)
	}
}

const (
	firstMessage = iota
	nextMessage
	heldTime
)

// TestStream: a stream is opened, used by several steps and closed, and what came on it is measured.
func TestStream(t *testing.T) {
	for _, scheme := range []string{"ws", "wss"} {
		s := start(t, scheme)
		f := newFixture(t, s.Base()+"/base",
			`{ws: "/welcome?room=${int(7,7)}", as: room, name: join, headers: {X-User: "u${int(3,3)}"}, subprotocols: [chat.v2, chat.v1], `+
				`expect: {"$.type": welcome}, extract: {user: $.user}}`,
			`{send: {json: {id: "${message.id}", from: "${var.user}"}}, to: room, name: say, expect: {"$.re": "${message.id}"}, `+
				`check: {"$.from": "${var.user}", "$.re": "${message.id}", "$.none": absent}}`,
			`{send: twice, name: two}`, `{await: "~ ^ok twice", from: room, name: both}`,
			`{send: {hex: "01 ff"}, expect: ~ binary}`, `{send: ping, expect: ~ ping}`, `{close: room, name: leave}`)
		u := f.user(t, 0)
		good(t, u, 0)
		if u.Var("user") != "u3" {
			t.Errorf("the user is %q", u.Var("user"))
		}
		good(t, u, 1)
		good(t, u, 2)
		good(t, u, 3)
		good(t, u, 4)
		good(t, u, 5)
		within(t, "a pong", func() bool { return s.pongs.Load() == 1 }) // no step is under way
		good(t, u, 6)
		within(t, "the end", func() bool { return slices.Contains(s.logged(), "end: websocket: close 1000 (normal)") })
		ended(u)
		if n := len(f.of("join", firstMessage)); n != 1 {
			t.Errorf("%d first messages", n)
		}
		if n := len(f.of("join", nextMessage)); n != 5 {
			t.Errorf("%d further messages, want those of say, two, both, binary and ping", n)
		}
		if held := f.of("join", heldTime); len(held) != 1 || held[0].Kind != scenarios.OK || held[0].End <= held[0].Intended {
			t.Errorf("held %+v", held)
		}
		h := s.handshake(0)
		if h.Get("User-Agent") != "brunt" || h.Get("Sec-Websocket-Protocol") != "chat.v2, chat.v1" &&
			h.Get("Sec-Websocket-Protocol") != "chat.v2,chat.v1" {
			t.Errorf("asked with %v", h)
		}
		if got := s.Connections(); got != 1 || f.Opened() != 1 {
			t.Errorf("%d connections", got)
		}
	}
}

// TestStream_Refused: a handshake that is refused is an answer with a status.
func TestStream_Refused(t *testing.T) {
	s := start(t, "ws")
	f := newFixture(t, s.Base(), `{ws: /refuse, as: room}`, `{send: hello, to: room}`)
	u := f.user(t, 0)
	out := u.Do(0, long)
	if out.Kind != scenarios.Error || out.Cause != scenarios.Status(403) || out.Status != 403 || !out.Answered ||
		!out.WasSent {
		t.Errorf("%q: %+v", out.Cause, out)
	}
	if len(f.kept) != 1 || !strings.Contains(f.kept[0].Message, "refused: status 403") {
		t.Errorf("samples %+v", f.kept)
	}
	if out = u.Do(1, long); out.Cause != scenarios.Stream || out.WasSent {
		t.Errorf("without a stream: %q", out.Cause)
	}
}

// TestStream_Ended: a stream that the other side ends is an error of the step that needs it and of how long it was
// held, by what ended it.
func TestStream_Ended(t *testing.T) {
	for _, c := range []struct{ say, cause string }{
		{"close bye", "close 4001"}, {"cut", "closed"}, {"reset", "reset"},
	} {
		s := start(t, "ws")
		f := newFixture(t, s.Base(), `{ws: /, as: room, name: join}`, `{send: "`+c.say+`", expect: nothing like it}`)
		u := f.user(t, 0)
		good(t, u, 0)
		if out := u.Do(1, long); f.flow.Causes().Name(out.Cause) != c.cause || !out.WasSent || out.Answered {
			t.Errorf("%s: %q: %+v", c.say, out.Cause, out)
		}
		ended(u)
		if held := f.of("join", heldTime); len(held) != 1 || held[0].Kind != scenarios.Error ||
			f.flow.Causes().Name(held[0].Cause) != c.cause {
			t.Errorf("%s: held %+v", c.say, held)
		}
	}
}

// TestStream_Schema: a message is held to a schema, as JSON or else as a text.
func TestStream_Schema(t *testing.T) {
	for _, c := range []struct{ scheme, step, want string }{
		{"ws", `{ws: /welcome, expect: exists, check: {schema: testdata/welcome.json}}`, ""},
		{
			"ws", `{ws: /welcome, expect: exists, check: {schema: testdata/line.json}}`,
			"the answer is not valid by testdata/line.json: $: got object, want string",
		},
		{"tcp", `{tcp: lines, send: hello, check: {schema: testdata/line.json}}`, ""},
		{
			"tcp", `{tcp: lines, send: hello, check: {schema: testdata/welcome.json}}`,
			"the answer is not valid by testdata/welcome.json: $: got string, want object",
		},
	} {
		f := newFixture(t, start(t, c.scheme).Base(), c.step)
		u := f.user(t, 0)
		if c.want == "" {
			good(t, u, 0)
			continue
		}
		if out := u.Do(0, long); out.Kind != scenarios.Error || len(f.kept) != 1 || f.kept[0].Message != c.want {
			t.Errorf("%s: %v, samples %+v", c.step, out.Kind, f.kept)
		}
		ended(u)
	}
}

// TestStream_Await: a message that came before is there at once, and one that does not come is a timeout by `within`.
func TestStream_Await(t *testing.T) {
	s := start(t, "ws")
	f := newFixture(t, s.Base(), `{ws: /welcome, as: room, name: join}`, `{await: {"$.type": welcome}}`,
		`{await: {"$.type": bye}, within: 40ms}`)
	u := f.user(t, 0)
	good(t, u, 0)
	within(t, "the welcome", func() bool { return u.Session != nil && s.handshakes.Load() == 1 })
	out := good(t, u, 1)
	if out.Took() > 5*time.Second {
		t.Errorf("it took %v", out.Took())
	}
	out = u.Do(2, long)
	if out.Cause != scenarios.Timeout || out.End-out.Intended != 40*time.Millisecond {
		t.Errorf("%q after %v", out.Cause, out.End-out.Intended)
	}
	if len(f.kept) != 1 || !strings.Contains(f.kept[0].Message, `no message with $.type "bye" came`) {
		t.Errorf("samples %+v", f.kept)
	}
}

// TestStream_Abort: the end of the run ends what is held and what is under way at once, and neither is an error of the
// target.
func TestStream_Abort(t *testing.T) {
	const users = 200
	s := start(t, "ws")
	f := newFixture(t, s.Base(), `{ws: /, as: room, name: join}`,
		`{send: mute, pace: {rate: 1/s, for: 1h}, expect: never}`)
	var all sync.WaitGroup
	var under sync.WaitGroup
	for vu := range users {
		u := f.user(t, vu)
		good(t, u, 0)
		if vu%2 == 0 {
			continue
		}
		under.Add(1)
		all.Go(func() {
			under.Done()
			if out := u.Do(1, long); out.Cause != scenarios.Unfinished {
				t.Errorf("%q: %+v", out.Cause, out)
			}
			ended(u)
		})
	}
	under.Wait()
	within(t, "the messages", func() bool { return s.requests.Load() == users/2 })
	began := time.Now()
	f.Abort()
	all.Wait()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	for _, o := range f.of("join", heldTime) {
		if o.Kind != scenarios.OK {
			t.Fatalf("held %+v", o)
		}
	}
}

// TestStream_Slow: a slow consumer reads so many messages in a second.
func TestStream_Slow(t *testing.T) {
	s := start(t, "tcp")
	f := newFixture(t, s.Base(), `{tcp: lines, as: feed, read: 50/s, name: open}`, `{send: twice}`,
		`{send: twice, expect: other}`, `{await: ~ ^ok}`, `{await: ~ ^ok}`)
	u := f.user(t, 0)
	begin := good(t, u, 0).End
	good(t, u, 1)
	good(t, u, 2)
	good(t, u, 3)
	if out := good(t, u, 4); out.End-begin < 60*time.Millisecond {
		t.Errorf("4 messages were read within %v", out.End-begin)
	}
}

// TestStream_Order: an answer that comes late does not answer the next message.
func TestTCP_Framing(t *testing.T) {
	s := start(t, "tcp")
	f := newFixture(t, s.Base(),
		`{tcp: {until: "\n"}, as: line, name: open}`,
		`{send: hello, to: line, expect: ~ ^ok hello$, extract: {word: ~ ok (.*)}}`, `{close: line}`)
	u := f.user(t, 0)
	for i := range 3 {
		good(t, u, i)
	}
	if u.Var("word") != "hello" {
		t.Errorf("got %q", u.Var("word"))
	}
	within(t, "the end", func() bool { return slices.Contains(s.logged(), "end") })
}

// TestNothingIsSentTwice: what the server counted is what was sent, while answers are cut off and connections reset.
func TestNothingIsSentTwice(t *testing.T) {
	for _, kind := range []string{"ws: /", "tcp: lines"} {
		for _, reset := range []bool{false, true} {
			s := start(t, kind[:strings.IndexByte(kind, ':')])
			r := targetstest.StartRelay(t, s.Addr().String(), reset, false)
			f := newFixture(t, s.scheme+"://"+r.Addr().String(), `{`+kind+`, send: hello, expect: ok hello}`)
			var mu sync.Mutex
			var sent, answered, all int64
			var group sync.WaitGroup
			for vu := range 4 {
				u := f.user(t, vu)
				group.Go(func() {
					for range 60 {
						out := u.Do(0, long)
						mu.Lock()
						all++
						sent += out.Written()
						if out.Answered {
							answered++
						}
						mu.Unlock()
					}
				})
			}
			group.Wait()
			if got := s.requests.Load(); got != sent || answered == 0 || answered == all {
				t.Errorf("%s, reset %v: the server counted %d, %d were sent and %d answered", kind, reset, got, sent, answered)
			}
		}
	}
}

// TestSample_Mute: what is said of a server that does not answer tells a handshake from a message.
func TestSample_Mute(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0") // the kernel takes connections, and nothing answers them
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for base, c := range map[string]struct{ step, want, not string }{
		"ws://": {`{ws: /, as: room, expect: exists}`, "i/o timeout", "came"},
		"tcp://": {
			`{tcp: lines, send: hello, expect: "ok hello"}`, `no message with text "ok hello" came: i/o timeout`,
			"unexpected",
		},
	} {
		f := newFixture(t, base+l.Addr().String(), c.step)
		f.user(t, 0).Do(0, 50*time.Millisecond)
		if len(f.kept) != 1 || !strings.Contains(f.kept[0].Message, c.want) || strings.Contains(f.kept[0].Message, c.not) {
			t.Errorf("%s: %+v", base, f.kept)
		}
	}
}
