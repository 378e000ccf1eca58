package grpc_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/grpc"
	"brunt/targets/stream"
	"brunt/targets/targetstest"
)

// heldFixture is a client of calls whose messages go both ways.
type heldFixture struct {
	*sampler
	targets.Client
	d    *targets.Descriptor
	flow *targetstest.Flow
	t0   time.Time

	mu    sync.Mutex
	parts map[string][]scenarios.Outcome // by step and part
}

// streams is package stream with calls of gRPC.
func streams() *targets.Descriptor {
	d := stream.Descriptor(grpc.Streams())
	d.Kinds, d.Causes = append(slices.Clone(d.Kinds), "grpc"), append(d.Causes, grpc.Descriptor().Causes...)
	return d
}

// name returns the cause of an outcome.
func (f *heldFixture) name(out scenarios.Outcome) string { return f.flow.Causes().Name(out.Cause) }

func newHeld(t testing.TB, base string, s *server, steps ...string) *heldFixture {
	t.Helper()
	return newHeldAt(t, time.Now(), base, s, steps...)
}

// newHeldAt is newHeld for a run that begins at t0.
func newHeldAt(t testing.TB, t0 time.Time, base string, s *server, steps ...string) *heldFixture {
	t.Helper()
	f := &heldFixture{sampler: new(sampler), d: streams(), t0: t0, parts: map[string][]scenarios.Outcome{}}
	f.flow = targetstest.Compile(t, f.d, "", steps...)
	o := targets.Options{
		Base: s.Base(), T0: f.t0, Timeout: long, Agent: "brunt/test", Sampler: f.sampler,
		TLS: &scenarios.TLS{InsecureSkipVerify: true},
	}
	o.Emit = func(_ *template.Iter, c scenarios.Call, n int, out *scenarios.Outcome) {
		f.mu.Lock()
		defer f.mu.Unlock()
		name := c.Name()
		if n != scenarios.WholeCall {
			name += " " + f.d.Parts(c)[n]
		}
		f.parts[name] = append(f.parts[name], *out)
	}
	bind, err := f.d.Client(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range f.flow.Calls {
		err = errors.Join(err, f.d.Bind(t.Context(), c, bind))
	}
	if err = errors.Join(err, bind.Close()); err != nil {
		t.Fatal(err)
	}
	o.Base = base
	if f.Client, err = f.d.Client(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Release()
		_ = f.Client.Close()
	})
	return f
}

func (f *heldFixture) user(t testing.TB, vu int) *targetstest.User {
	return f.flow.Open(t, f.Client, f.t0, vu)
}

// of returns the outcomes of a part.
func (f *heldFixture) of(name string) []scenarios.Outcome {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.parts[name])
}

// endOf ends the iteration of a user.
func (f *heldFixture) endOf(u *targetstest.User) { f.d.EndIteration(u.Session, &u.It) }

// done makes a step that is to be ok.
func done(t *testing.T, u *targetstest.User, i int) scenarios.Outcome {
	t.Helper()
	out := u.Do(i, long)
	if out.Kind != scenarios.OK || !out.WasSent || !out.Answered || out.Slot > out.Sent || out.Sent > out.First ||
		out.First > out.End {
		t.Fatalf("step %d: %v %q: %+v", i, out.Kind, out.Cause, out)
	}
	return out
}

// TestHeld: a call is kept open, both sides send on it, and each message is what grpc-go's server saw.
func TestHeld(t *testing.T) {
	for _, o := range []options{{}, {cert: certificate(t)}} {
		s := start(t, o)
		f := newHeld(t, s.Base(), s,
			`{grpc: echo.Echo/Chat, as: chat, name: join, metadata: {user: "u${int(3,3)}"}, message: {text: hi, number: 1}, expect: {$.text: hi}, `+
				`extract: {n: $.number}}`,
			`{send: {json: {text: "a ${var.n}", number: "${message.id}"}}, to: chat, name: say, expect: {$.number: "${message.id}"}, check: {$.text: a 1}}`,
			`{send: {json: {text: twice}}, name: two}`, `{await: {$.text: twice}, from: chat}`,
			`{await: {$.text: again}, from: chat}`,
			`{send: {hex: "10 07"}, expect: {$.number: 7}}`, `{close: chat, name: leave}`)
		u := f.user(t, 0)
		open := done(t, u, 0)
		for i := 1; i < 6; i++ {
			done(t, u, i)
		}
		out := done(t, u, 6)
		if out.Status != 0 || open.Bytes == 0 {
			t.Errorf("%+v, then %+v", open, out)
		}
		f.endOf(u)
		own := s.logged()[1]
		if got, want := strings.Join(s.logged(), ", "),
			"hi 1, "+own+", twice 0,  7, end"; got != want || !strings.HasPrefix(own, "a 1 ") {
			t.Errorf("the server saw %s, want %s", got, want)
		}
		// one of them to bind
		if user := s.metadata()[0].Get("user"); s.Connections() != 2 || len(user) != 1 || user[0] != "u3" {
			t.Errorf("%d connections, of %v", s.Connections(), user)
		}
		first, rest, held := f.of("join first message"), f.of("join message"), f.of("join held")
		if len(first) != 1 || len(rest) != 4 || len(held) != 1 || held[0].Kind != scenarios.OK ||
			held[0].Intended != open.Sent {
			t.Fatalf("first %+v, then %+v, held %+v", first, rest, held)
		}
		for i := range rest[1:] {
			if rest[i+1].Intended != rest[i].End {
				t.Errorf("message %d begins at %v, and the one before ended at %v", i+1, rest[i+1].Intended, rest[i].End)
			}
		}
	}
}

// TestHeld_Ended: the status by which a server ends a call is that of the step that needs it, of its close, and of how
// long it was held.
func TestHeld_Ended(t *testing.T) {
	for _, c := range []struct {
		say, step, want, held string
		wrote                 bool
	}{
		{"fail", `{send: {json: {text: fail}}, expect: exists}`, "status NOT_FOUND 5", "status NOT_FOUND", true},
		{"bye", `{send: {json: {text: bye}}, expect: exists}`, "closed 0", "closed", true},
		{"cut", `{send: {json: {text: cut}}, expect: exists}`, "closed 0", "closed", true},
		{"reset", `{send: {json: {text: reset}}, expect: exists}`, "reset 0", "reset", true},
	} {
		s := start(t, options{})
		f := newHeld(t, s.Base(), s, `{grpc: echo.Echo/Chat, as: chat, name: join}`, c.step, `{await: exists, from: chat}`)
		u := f.user(t, 0)
		done(t, u, 0)
		for i := range 2 { // the second finds it ended
			out := u.Do(i+1, long)
			if got := fmt.Sprint(f.name(out), " ", out.Status); out.Kind != scenarios.Error || got != c.want ||
				out.WasSent != (i == 0) {
				t.Errorf("%s, step %d: %q: %+v", c.say, i, got, out)
			}
		}
		f.endOf(u)
		if held := f.of("join held"); len(held) != 1 || held[0].Kind != scenarios.Error || f.name(held[0]) != c.held {
			t.Errorf("%s: held %+v", c.say, held)
		}
	}
	s := start(t, options{})
	f := newHeld(t, s.Base(), s, `{grpc: echo.Echo/Chat, as: chat, name: join}`,
		`{send: {json: {text: fail at end}}, expect: exists}`, `{close: chat}`)
	u := f.user(t, 0)
	done(t, u, 0)
	done(t, u, 1)
	if out := u.Do(2, long); f.name(out) != "status NOT_FOUND" || out.Status != 5 || !out.Answered ||
		!out.WasSent {
		t.Errorf("a close that ends with a status: %q: %+v", out.Cause, out)
	}
	last := f.kept[len(f.kept)-1]
	if last.Message != `NOT_FOUND: "at last"` || last.Request != "close "+s.Base()+"/echo.Echo/Chat" {
		t.Errorf("the sample %+v", last)
	}
}

// TestHeld_Warm: a call is kept open during the warm-up, whose times are below zero, as in the run.
func TestHeld_Warm(t *testing.T) {
	s := start(t, options{})
	f := newHeldAt(t, time.Now().Add(time.Minute), s.Base(), s, `{grpc: echo.Echo/Chat, as: chat, name: join}`,
		`{send: {json: {number: "${message.id}"}}, name: say, pace: {rate: 100/s, for: 300ms}, expect: {$.number: "${message.id}"}}`, `{close: chat}`)
	u := f.user(t, 0)
	for i := range 3 {
		if out := u.Do(i, long); out.Kind != scenarios.OK || out.Sent >= 0 || out.End >= 0 {
			t.Fatalf("step %d: %q: %+v", i, out.Cause, out)
		}
	}
}

// TestHeld_Deadline: the deadline of a call is sent to the server, and ends the call by brunt's clock. grpc-go's server
// resets the stream at that time too: as in grpc-go's client, such a reset is the deadline, whichever comes first. With
// so many calls, both come first.
func TestHeld_Deadline(t *testing.T) {
	const users = 500
	s := start(t, options{})
	f := newHeld(t, s.Base(), s,
		`{grpc: echo.Echo/Chat, as: chat, name: join, deadline: 300ms, message: {text: hi}, expect: exists}`,
		`{await: exists, from: chat}`)
	var all sync.WaitGroup
	for vu := range users {
		u := f.user(t, vu)
		open := u.Do(0, long)
		all.Go(func() {
			out := open
			if open.Kind == scenarios.OK { // else the deadline passed before the first answer
				out = u.Do(1, long)
			}
			f.endOf(u)
			if name := f.name(out); name != "timeout" && name != "status DEADLINE_EXCEEDED" {
				t.Errorf("%q: %+v", name, out)
			}
			if took := out.End - open.Intended; took < 250*time.Millisecond || took > 10*time.Second {
				t.Errorf("opened at %v, ended %v later", open.Intended, took)
			}
		})
	}
	all.Wait()
	held := f.of("join held")
	if len(held) > users || len(held) == 0 {
		t.Errorf("%d calls were held, want at most %d", len(held), users)
	}
	for _, o := range held {
		if name := f.name(o); name != "timeout" && name != "status DEADLINE_EXCEEDED" {
			t.Errorf("held: %q: %+v", name, o)
		}
	}
	for _, until := range s.deadlines() {
		if until > 300*time.Millisecond || until < 100*time.Millisecond {
			t.Errorf("the server saw a deadline of %v", until)
		}
	}
}

// TestHeld_Stall: a server that stands still cannot hide it inside a call: the time of a message counts from when it
// was due.
func TestHeld_Stall(t *testing.T) {
	s := start(t, options{})
	f := newHeld(t, s.Base(), s, `{grpc: echo.Echo/Chat, as: chat, name: join}`,
		`{send: {json: {number: "${message.id}"}}, name: say, pace: {rate: 100/s, for: 2s}, expect: {$.number: "${message.id}"}}`)
	u := f.user(t, 0)
	done(t, u, 0)
	stalled := make(chan struct{})
	go func() {
		defer close(stalled)
		if !suite.Within(long, func() bool { return len(s.logged()) >= 50 }) {
			t.Error("no message came")
		}
		s.frozen.Lock()
		time.Sleep(400 * time.Millisecond) // simulates a stall
		s.frozen.Unlock()
	}()
	last := done(t, u, 1)
	<-stalled
	var took []time.Duration
	for i, o := range append(f.of("say"), last) {
		if o.Kind != scenarios.OK {
			t.Fatalf("message %d: %q %+v", i, o.Cause, o)
		}
		took = append(took, o.Took())
	}
	if len(took) != 200 || len(s.logged()) != 200 {
		t.Fatalf("%d outcomes, the server had %d", len(took), len(s.logged()))
	}
	slices.Sort(took)
	// The stall of 400 ms meets 40 messages of 200: the longest waits 400 ms, and the one at 90 % 200 ms.
	if p90, p99 := took[180], took[198]; p90 < 180*time.Millisecond || p99 < 340*time.Millisecond {
		t.Errorf("p90 %v, p99 %v", p90, p99)
	}
}

// TestHeld_NothingIsSentTwice: what the server counted is what was sent, while connections are cut and calls are opened
// again.
func TestHeld_NothingIsSentTwice(t *testing.T) {
	for _, verb := range []string{"cut", "reset", "bye"} {
		s := start(t, options{})
		f := newHeld(t, s.Base(), s, `{grpc: echo.Echo/Chat, as: chat, name: join, reconnect: {after: 1ms..5ms}}`,
			`{send: {json: {text: hello}}, name: say, expect: {$.text: hello}}`,
			`{send: {json: {text: `+verb+`}}, name: end, expect: exists}`)
		u := f.user(t, 0)
		first := done(t, u, 0)
		calls := first.Written()
		var sent, answered int
		for i := range 60 {
			out := u.Do(1+i%3/2, long)
			sent += int(out.Written())
			if out.Answered {
				answered++
			}
		}
		f.endOf(u)
		for _, o := range f.of("join") { // opened again
			calls += o.Written()
		}
		if got := len(s.logged()); got != sent || answered != 40 {
			t.Errorf("%s: the server counted %d messages, %d were sent and %d answered", verb, got, sent, answered)
		}
		if got := len(s.metadata()); int64(got) != calls || calls != 20 {
			t.Errorf("%s: the server counted %d calls, and %d were sent", verb, got, calls)
		}
	}
}

// TestHeld_Full: a server that reads nothing lets a message wait, and no longer than its deadline.
func TestHeld_Full(t *testing.T) {
	s := start(t, options{})
	f := newHeld(t, s.Base(), s, `{grpc: echo.Echo/Chat, as: chat, name: join}`, `{send: {json: {text: hold}}}`,
		`{send: {json: {text: "`+strings.Repeat("x", 300<<10)+`"}}, name: big}`)
	u := f.user(t, 0)
	done(t, u, 0)
	done(t, u, 1)
	out := u.Do(2, 200*time.Millisecond)
	if out.Cause != scenarios.Timeout || out.End-out.Intended != 200*time.Millisecond || out.WasSent {
		t.Errorf("%q: %+v", out.Cause, out)
	}
}

// TestHeld_Abort: the end of the run ends what is held and what is under way at once, on as many connections as the
// server's limit of streams wants.
func TestHeld_Abort(t *testing.T) {
	const users = 200
	s := start(t, options{streams: 50})
	f := newHeld(t, s.Base(), s, `{grpc: echo.Echo/Chat, as: chat, name: join}`,
		`{send: {json: {text: mute}}, pace: {rate: 1/s, for: 1h}, expect: exists}`)
	var all sync.WaitGroup
	for vu := range users {
		u := f.user(t, vu)
		done(t, u, 0)
		if vu%2 == 0 {
			continue
		}
		all.Go(func() {
			if out := u.Do(1, long); out.Cause != scenarios.Unfinished {
				t.Errorf("%q: %+v", out.Cause, out)
			}
			f.endOf(u)
		})
	}
	suite.Until(t, "the messages", func() bool { return len(s.logged()) >= users/2 })
	if n := f.Opened(); n != users/50 {
		t.Errorf("%d connections for %d calls, 50 on each", n, users)
	}
	began := time.Now()
	f.Abort()
	all.Wait()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	for _, o := range f.of("join held") {
		if o.Kind != scenarios.OK {
			t.Fatalf("held %+v", o)
		}
	}
}

// TestHeld_Reused: calls that end, by brunt or by the server, leave their connection to others.
func TestHeld_Reused(t *testing.T) {
	s := start(t, options{streams: 8})
	f := newHeld(t, s.Base(), s, `{grpc: echo.Echo/Chat, as: chat, name: join, message: {text: hi}, expect: exists}`,
		`{send: {json: {text: bye}}, expect: exists}`, `{close: chat}`)
	u := f.user(t, 0)
	for i := range 60 {
		done(t, u, 0)
		switch i % 3 {
		case 0:
			u.Do(1, long)
		case 1:
			done(t, u, 2)
		}
		f.endOf(u)
	}
	if n := f.Opened(); n != 1 {
		t.Errorf("%d connections", n)
	}
	suite.Until(t, "the ends", func() bool { return s.chats.Load() == 0 })
}

// TestHeld_Mistakes: what is wrong with a step is told before anything runs, where files describe the services.
func TestHeld_Mistakes(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "echo.pb"), protoset(t), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, flow, want string }{
		{"no name", "grpc: echo.Echo/Chat", "echo.Echo/Chat is a stream both ways; `as: NAME` keeps it open"},
		{"one way", "{grpc: echo.Echo/Say, as: chat}", "echo.Echo/Say has no messages both ways"},
		{"one way of a stream", "{grpc: echo.Echo/Watch, as: chat}", "echo.Echo/Watch has no messages both ways"},
		{"unknown method", "{grpc: echo.Echo/Chta, as: chat}", `has no method "Chta"; did you mean "Chat"?`},
		{
			"first message", "{grpc: echo.Echo/Chat, as: chat, message: {txt: a}}",
			`the message echo.Ask has no field "txt"; did you mean "text"?`,
		},
		{
			"message", "{grpc: echo.Echo/Chat, as: chat}, {send: {json: {txt: a}}, to: chat}",
			`the message echo.Ask has no field "txt"; did you mean "text"?`,
		},
		{"value", "{grpc: echo.Echo/Chat, as: chat}, {send: {json: {number: a}}}", "message: "},
		{"text", "{grpc: echo.Echo/Chat, as: chat}, {send: hello}", "such as send: {json: {…}}"},
		{"key", "{grpc: echo.Echo/Chat, as: chat, messages: 3}", `unknown key "messages"`},
		{"stream", "{grpc: echo.Echo/Chat, as: chat}, {send: {json: {}}, to: chta}", `did you mean "chat"?`},
		{"metadata", "{grpc: echo.Echo/Chat, as: chat, metadata: {grpc-timeout: 1S}}", "`deadline` of the step sets it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := compileAt(dir, "protoset: echo.pb", c.flow); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
	calls, err := compileAt(dir, "protoset: echo.pb", `{grpc: echo.Echo/Chat, as: chat}, {send: {json: {text: a}}}`)
	if err != nil || len(calls) != 2 || calls[0].Name() != "echo.Echo/Chat" || calls[1].Name() != "send" {
		t.Errorf("%v: %v", calls, err)
	}
}

// TestHeld_Reflected: a message that does not fit is told once the server has described its services.
func TestHeld_Reflected(t *testing.T) {
	s, d := start(t, options{}), streams()
	flow := targetstest.Compile(t, d, "", `{grpc: echo.Echo/Chat, as: chat}`, `{send: {json: {txt: a}}, to: chat}`)
	by, err := d.Client(targets.Options{Base: s.Base(), T0: time.Now(), Timeout: long})
	if err != nil {
		t.Fatal(err)
	}
	defer by.Close()
	if err := d.Bind(t.Context(), flow.Calls[1], by); err == nil || !strings.Contains(err.Error(), `has no field "txt"`) {
		t.Errorf("%v", err)
	}
}

// TestHeld_Nonsense: a call that is not one is an error of the protocol, and ends.
func TestHeld_Nonsense(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"compressed", "\x01\x00\x00\x00\x00", "the message is compressed"},
		{"half a prefix", "\x00\x00", "the stream ended inside a message"},
		{"too long", "\x00\xff\xff\xff\xff", "over the 64 MiB that brunt reads"},
		{"not the type", "\x00\x00\x00\x00\x02\x08\xff", "the message is no echo.Ask"},
		{"no status", "", "the answer has no grpc-status"},
	} {
		t.Run(c.name, func(t *testing.T) {
			base := nonsense(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/grpc")
				_, _ = w.Write([]byte(c.body))
			})
			f := newHeld(t, base, start(t, options{}), `{grpc: echo.Echo/Chat, as: chat, expect: {$.text: a}}`)
			u := f.user(t, 0)
			if out := u.Do(0, long); out.Cause != scenarios.Protocol || !strings.Contains(f.kept[0].Message, c.want) {
				t.Errorf("%s: %+v, want %q", out.Cause, f.kept, c.want)
			}
			f.endOf(u)
		})
	}
}
