package grpc_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/targets"
	"brunt/targets/grpc"
	"brunt/targets/targetstest"
)

// long is a timeout that passes only if something is wrong.
const long = 30 * time.Second

// fixture is a client with its server and bound calls.
type fixture struct {
	*server
	*targetstest.Flow
	targets.Client
	t0 time.Time
}

func newFixture(t testing.TB, s *server, o targets.Options, steps ...string) *fixture {
	t.Helper()
	f := &fixture{server: s, Flow: targetstest.Compile(t, grpc.Descriptor(), "", steps...), t0: time.Now()}
	if err := bindAt(t.Context(), grpc.Descriptor(), s.Base(), f.Calls...); err != nil {
		t.Fatal(err)
	}
	o.Base, o.T0, o.Agent = s.Base(), f.t0, "brunt/test"
	if o.Timeout == 0 {
		o.Timeout = long
	}
	var err error
	if f.Client, err = grpc.Descriptor().Client(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Release()
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func (f *fixture) user(t testing.TB, vu int) *targetstest.User {
	return f.Flow.Open(t, f.Client, f.t0, vu)
}

// got describes an outcome in a word or two.
func (f *fixture) got(out scenarios.Outcome) string {
	text := fmt.Sprintf("%s %d", out.Kind, out.Status)
	if out.Kind == scenarios.Error {
		text += " " + f.Causes().Name(out.Cause)
	}
	return text
}

// A check compares a message with what an earlier step extracted.
func TestCall_ChecksAgainstValues(t *testing.T) {
	f := newFixture(t, start(t, options{}), targets.Options{},
		`{grpc: echo.Echo/Say, name: one, message: {text: hi, items: [{id: a}, {id: b}]}, check: {"$.items[7]": absent}, extract: {v: $.text, b: "$.items[1].id"}}`,
		`{grpc: echo.Echo/Say, name: two, message: {text: hi, items: [{id: a}, {id: b}]}, check: {$.text: "${var.v}", "$.items[*].id": "contains ${var.b}"}}`,
		`{grpc: echo.Echo/Say, name: three, message: {text: ho}, check: {$.text: "${var.v}"}}`)
	u := f.user(t, 0)
	for i, want := range []string{"ok 0", "ok 0", "error 0 check $.text"} {
		if got := f.got(u.Do(i, long)); got != want {
			t.Errorf("call %d: got %s, want %s", i, got, want)
		}
	}
}

func TestCall_Outcomes(t *testing.T) {
	for _, c := range []struct{ name, step, want, extracted string }{
		{"an empty message", `grpc: echo.Echo/Say`, "ok 0", ""},
		{"a path with a slash before it", `grpc: /echo.Echo/Say`, "ok 0", ""},
		{"names of JSON", `{grpc: echo.Echo/Say, message: {firstItem: {id: a}}, extract: {v: $.firstItem.id}}`, "ok 0", "a"},
		{
			"names of the file", `{grpc: echo.Echo/Say, message: {first_item: {id: a}}, check: {$.firstItem.id: a}}`, "ok 0",
			"",
		},
		{
			"a number with placeholders", `{grpc: echo.Echo/Say, message: {number: "${int(7,7)}"}, extract: {v: $.number}}`,
			"ok 0", "7",
		},
		{
			"a text with placeholders", `{grpc: echo.Echo/Say, message: {text: "a \"${int(7,7)}\""}, extract: {v: $.text}}`,
			"ok 0", `a "7"`,
		},
		{"a list", `{grpc: echo.Echo/Say, message: {items: [{id: a, count: 1}, {id: "b${int(2,2)}"}]}, extract: {v: "$.items[1].id"}}`, "ok 0", "b2"},
		{"a map", `{grpc: echo.Echo/Say, message: {counts: {x: "${int(3,3)}"}}, extract: {v: $.counts.x}}`, "ok 0", ":3"},
		{"an enum", `{grpc: echo.Echo/Say, message: {colour: RED}, check: {$.colour: RED}}`, "ok 0", ""},
		{"a time", `{grpc: echo.Echo/Say, message: {at: "2026-11-22T10:00:00Z"}, check: {$.at: ~ ^2026}}`, "ok 0", ""},
		{"a default is there", `{grpc: echo.Echo/Say, check: {$.number: 0, $.yes: "false"}}`, "ok 0", ""},
		{"a status", `{grpc: echo.Echo/Say, message: {text: fail}}`, "error 5 status NOT_FOUND", ""},
		{
			"a status that is wanted", `{grpc: echo.Echo/Say, message: {text: fail}, check: {status: [OK, not_found]}}`, "ok 5",
			"",
		},
		{"a status that is not wanted", `{grpc: echo.Echo/Say, check: {status: NOT_FOUND}}`, "error 0 status OK", ""},
		{"shed", `{grpc: echo.Echo/Say, message: {text: busy}, check: {shed: RESOURCE_EXHAUSTED}}`, "shed 8", ""},
		{"a check that fails", `{grpc: echo.Echo/Say, check: {$.number: "> 0"}}`, "error 0 check $.number", ""},
		{
			"a schema", `{grpc: echo.Echo/Say, message: {text: hi}, check: {schema: testdata/greeting.json}}`, "ok 0", "",
		},
		{
			"another schema", `{grpc: echo.Echo/Say, message: {text: ho}, check: {schema: testdata/greeting.json}}`,
			"error 0 check schema testdata/greeting.json", "",
		},
		{"within", `{grpc: echo.Echo/Say, check: {within: 10s}}`, "ok 0", ""},
		{
			"metadata of the header",
			`{grpc: echo.Echo/Say, check: {metadata: {x-head: before}}, extract: {v: metadata x-tail}}`, "ok 0", "after",
		},
		{
			"metadata that is missing", `{grpc: echo.Echo/Say, check: {metadata: {x-other: a}}}`,
			"error 0 check metadata x-other", "",
		},
		{"an extraction that finds nothing", `{grpc: echo.Echo/Say, extract: {v: $.firstItem.id}}`, "error 0 extract v", ""},
		{"a value that is no number", `{grpc: echo.Echo/Say, message: {number: "x${int(1,1)}"}}`, "error 0 other", ""},
		{"health", `grpc: health`, "ok 0", ""},
		{"health of a service", `{grpc: health/nothing, check: {status: NOT_FOUND}, name: a}`, "ok 5", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t, start(t, options{}), targets.Options{}, c.step)
			u := f.user(t, 0)
			for range 2 { // the second is from what the first prepared
				out := u.Do(0, long)
				if got := f.got(out); got != c.want {
					t.Errorf("got %s, want %s", got, c.want)
				}
				if c.extracted != "" && u.Var("v") != c.extracted {
					t.Errorf("extracted %q, want %q", u.Var("v"), c.extracted)
				}
			}
		})
	}
}

// Health is asked without reflection, and ok means SERVING.
func TestCall_Health(t *testing.T) {
	s := start(t, options{silent: true}) // health needs no reflection
	f := newFixture(t, s, targets.Options{}, `grpc: health`)
	u := f.user(t, 0)
	if got := f.got(u.Do(0, long)); got != "ok 0" {
		t.Error(got)
	}
	s.health.Shutdown() // then it says NOT_SERVING
	if got := f.got(u.Do(0, long)); got != "error 0 check $.status" {
		t.Error(got)
	}
}

func TestCall_Metadata(t *testing.T) {
	f := newFixture(t, start(t, options{}), targets.Options{},
		`{grpc: echo.Echo/Say, deadline: 1500ms, metadata: {Tenant: "a${int(1,1)}", raw-bin: "\u00ff"}}`,
		`grpc: echo.Echo/Say`)
	u := f.user(t, 0)
	for i := range 2 {
		if got := f.got(u.Do(i, long)); got != "ok 0" {
			t.Fatal(got)
		}
	}
	head := f.metadata()[0]
	if got := fmt.Sprintf("%q %q %q %q", head["tenant"], head["raw-bin"], head["content-type"], head["user-agent"]); got !=
		`["a1"] ["ÿ"] ["application/grpc"] ["brunt/test"]` {
		t.Error(got)
	}
	if len(f.until) != 1 || f.until[0] > 1500*time.Millisecond || f.until[0] < 500*time.Millisecond {
		t.Errorf("the server saw the deadlines %v", f.until)
	}
}

// A deadline ends a call by brunt's clock, whatever the server does.
func TestCall_Deadline(t *testing.T) {
	f := newFixture(t, start(t, options{}), targets.Options{},
		`{grpc: echo.Echo/Say, deadline: 60ms, message: {text: slow}}`, `grpc: echo.Echo/Say`)
	u := f.user(t, 0)
	u.Do(1, long)
	out := u.Do(0, long)
	if out.Cause != scenarios.Timeout || out.End != out.Ready+60*time.Millisecond || !out.WasSent {
		t.Errorf("%+v", out)
	}
	if got := f.got(u.Do(1, long)); got != "ok 0" || f.Opened() != 1 {
		t.Errorf("%s after it, on %d connections", got, f.Opened())
	}
}

func TestBind(t *testing.T) {
	for _, c := range []struct {
		name, step, want string
		o                options
	}{
		{"by reflection", `{grpc: echo.Echo/Say, message: {firstItem: {id: a}}}`, "", options{}},
		{"by the older reflection", `{grpc: echo.Echo/Say, message: {firstItem: {id: a}}}`, "", options{alpha: true}},
		{
			"no reflection", `grpc: echo.Echo/Say`,
			"has no reflection, which tells the messages of its services; give their files",
			options{silent: true},
		},
		{
			"a service", `grpc: echo.Eco/Say`,
			`s.yaml:10:9: the server at HOST has no service "echo.Eco"; did you mean "echo.Echo"?`,
			options{},
		},
		{
			"a service without its package", `grpc: Echo/Say`,
			`s.yaml:10:9: the server at HOST has no service "Echo"; did you mean "echo.Echo"?`,
			options{},
		},
		{
			"a method", `grpc: echo.Echo/Sya`, `s.yaml:10:9: the service echo.Echo has no method "Sya"; did you mean "Say"?`,
			options{},
		},
		{
			"a stream both ways", `grpc: echo.Echo/Chat`,
			"s.yaml:10:9: echo.Echo/Chat is a stream both ways; `as: NAME` keeps it open, for steps of send, await and close",
			options{},
		},
		{
			"a stream of messages", `grpc: echo.Echo/Gather`,
			"10:9: echo.Echo/Gather takes a stream of messages; `send: [{…}, {…}]` gives its messages",
			options{},
		},
		{
			"one message", `{grpc: echo.Echo/Say, send: [{}]}`,
			"10:10: echo.Echo/Say takes one message; `message: {…}` in place of `send`",
			options{},
		},
		{
			"one answer", `{grpc: echo.Echo/Say, messages: 2}`,
			"echo.Echo/Say answers with one message; messages, until and for read a stream",
			options{},
		},
		{
			"a field of a list", `{grpc: echo.Echo/Gather, send: [{}, {numbr: 1}]}`,
			`the message echo.Ask has no field "numbr"; did you mean "number"?`,
			options{},
		},
		{
			"a field", `{grpc: echo.Echo/Say, message: {numbr: 1}}`,
			`s.yaml:10:41: the message echo.Ask has no field "numbr"; did you mean "number"?`,
			options{},
		},
		{
			"a field with a placeholder", `{grpc: echo.Echo/Say, message: {items: [{ident: "${int(1,2)}"}]}}`,
			`s.yaml:10:50: the message echo.Item has no field "ident"; known are count, id`,
			options{},
		},
		{
			"a type", `{grpc: echo.Echo/Say, message: {number: many}}`, `invalid value for int64 field number: "many"`,
			options{},
		},
		{
			"an enum", `{grpc: echo.Echo/Say, message: {colour: PINK}}`, `invalid value for enum field colour: "PINK"`,
			options{},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, c.o)
			err := bindAt(t.Context(), grpc.Descriptor(), s.Base(),
				targetstest.Compile(t, grpc.Descriptor(), "", c.step).Calls...)
			got := ""
			if err != nil {
				got = strings.ReplaceAll(err.Error(), s.Addr().String(), "HOST")
			}
			if got == "" != (c.want == "") || !strings.Contains(got, c.want) {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestCompile_Mistakes(t *testing.T) {
	for _, c := range []struct{ step, want string }{
		{`grpc: echo.Echo.Say`, `10:9: "echo.Echo.Say" is not a method; such as echo.Echo/Say`},
		{`grpc: Say`, `10:9: "Say" is not a method; such as shop.Orders/Get: package.Service/Method`},
		{`grpc: "a.B/${int(1,2)}"`, `it can't stand here`},
		{`{grpc: a.B/C, check: {status: NOTFOUND}}`, `10:39: "NOTFOUND" is not a status of gRPC; did you mean "NOT_FOUND"?`},
		{`{grpc: a.B/C, check: {body: a}}`, `unknown check "body"`},
		{`{grpc: a.B/C, deadline: 1h}`, `the deadline is longer than the load's timeout, 10s, and so can't pass`},
		{
			`{grpc: a.B/C, metadata: {grpc-timeout: 1S}}`,
			"metadata grpc-timeout is brunt's to set; `deadline` of the step sets it",
		},
		{`{grpc: a.B/C, metadata: {"a b": c}}`, `"a b" is not a name of metadata`},
		{`{grpc: a.B/C, extract: {v: header x}}`, `want "$.path" or "metadata NAME", not "header x"`},
		{`{grpc: a.B/C, json: {a: 1}}`, `unknown key "json"; such as message: {…}`},
		{`{grpc: health, message: {}}`, `health has no message`},
		{`{grpc: a.B/C, messages: 2, for: 1s}`, `a stream is read by one of messages, until, for, not both messages and for`},
		{`{grpc: a.B/C, for: 10s}`, `the stream is read for 10s, and the load's timeout is 10s: it is to be longer`},
		{
			`{grpc: a.B/C, for: 1s, deadline: 500ms}`,
			`the stream is read for 1s, and the deadline is 500ms: it is to be longer`,
		},
		{`{grpc: a.B/C, until: {state: DONE}}`, `unknown key "state"; a path of the message begins with $.`},
		{`{grpc: a.B/C, message: {}, send: [{}]}`, `a call has a message, or messages to send`},
		{`{grpc: health, messages: 1}`, `grpc.health.v1.Health/Check answers with one message`},
		{`{grpc: a.B/C, mesage: {}}`, `did you mean "message"?`},
	} {
		_, err := targetstest.Try(grpc.Descriptor(), "", c.step)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v\nwant %s", c.step, err, c.want)
		}
	}
}

// sampler keeps all samples.
type sampler struct {
	mu   sync.Mutex
	kept []result.Sample
}

func (s *sampler) Want(*scenarios.Outcome) bool { return true }

func (s *sampler) Keep(_ *scenarios.Outcome, sm result.Sample) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = append(s.kept, sm)
}

// A sample says what came, and can be sent again.
func TestSample(t *testing.T) {
	k := new(sampler)
	s := start(t, options{})
	f := newFixture(t, s, targets.Options{Sampler: k},
		`{grpc: echo.Echo/Say, deadline: 1500ms, message: {text: fail, number: "${int(7,7)}"}, metadata: {tenant: it's}}`,
		`{grpc: echo.Echo/Say, message: {number: 1}, check: {$.number: 2}}`, `grpc: health`)
	u := f.user(t, 0)
	for i := range 3 {
		u.Do(i, long)
	}
	at := s.Addr().String()
	for i, want := range []struct{ message, curl string }{
		{
			`NOT_FOUND: "no order “7”\nat all"`,
			"grpcurl -plaintext -max-time 1.5 \\\n  -H 'tenant: it'\\''s' \\\n  -d '{\"text\":\"fail\",\"number\":7}' \\\n  '" +
				at + "' 'echo.Echo/Say'",
		},
		{
			`$.number was "1", and "2" was wanted`,
			"grpcurl -plaintext \\\n  -d '{\"number\":1}' \\\n  '" + at + "' 'echo.Echo/Say'",
		},
		{"", "grpcurl -plaintext \\\n  -d '{\"service\":\"\"}' \\\n  '" + at + "' 'grpc.health.v1.Health/Check'"},
	} {
		sm := k.kept[i]
		if sm.Message != want.message {
			t.Errorf("%d: message %s, want %s", i, sm.Message, want.message)
		}
		if got := sm.Sent.Conceal(nil).Curl(); got != want.curl {
			t.Errorf("%d: %s\nwant %s", i, got, want.curl)
		}
	}
	if !strings.Contains(k.kept[1].Body, `"number":"1"`) && !strings.Contains(k.kept[1].Body, `"number": "1"`) {
		t.Errorf("the sample of a failed check shows %s", k.kept[1].Body)
	}
}

// Files beside the scenario say what the server does not: then a mistake is found without it.
func TestEndpoint_Files(t *testing.T) {
	dir := t.TempDir()
	for name, text := range protoFiles {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, b := range map[string][]byte{
		"echo.protoset": protoset(t), "bad.protoset": []byte("nonsense"),
		"bad.proto": []byte("syntax = \"proto3\";\nmessage {"),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ name, endpoint, step, want string }{
		{"protos", `protos: [echo.proto]`, `{grpc: echo.Echo/Say, message: {firstItem: {id: a}}}`, ""},
		{"import paths", `protos: [DIR/echo.proto], import_paths: [DIR]`, `grpc: echo.Echo/Say`, ""},
		{"protoset", `protoset: echo.protoset`, `{grpc: echo.Echo/Say, message: {text: a}}`, ""},
		{
			"a field", `protos: [echo.proto]`, `{grpc: echo.Echo/Say, message: {txt: a}}`,
			`the message echo.Ask has no field "txt"; did you mean "text"?`,
		},
		{
			"a service", `protoset: echo.protoset`, `grpc: echo.Eco/Say`,
			`echo.protoset has no service "echo.Eco"; did you mean "echo.Echo"?`,
		},
		{"no file", `protos: [eco.proto]`, `grpc: echo.Echo/Say`, `there is no file eco.proto in .`},
		{"a bad file", `protos: [bad.proto]`, `grpc: echo.Echo/Say`, `protos: bad.proto:2:9: syntax error`},
		{"a bad set", `protoset: bad.protoset`, `grpc: echo.Echo/Say`, `bad.protoset is not a set of descriptors`},
		{
			"both", `protos: [echo.proto], protoset: echo.protoset`, `grpc: echo.Echo/Say`,
			`an endpoint has protos or a protoset`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			calls, err := compileAt(dir, strings.ReplaceAll(c.endpoint, "DIR", dir), c.step)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v\nwant %s", err, c.want)
			}
			if err != nil {
				return
			}
			s := start(t, options{silent: true})
			if err := bindAt(t.Context(), grpc.Descriptor(), s.Base(), calls...); err != nil {
				t.Error(err)
			}
		})
	}
}

// What ends connections makes calls fail, and never has one served twice.
func TestCall_NothingTwice(t *testing.T) {
	s := start(t, options{})
	f := newFixture(t, s, targets.Options{},
		`{grpc: echo.Echo/Say, message: {text: "mark ${var.mark}"}, metadata: {mark: "${var.mark}"}}`)
	stop := make(chan struct{})
	var ends, users sync.WaitGroup
	ends.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(3 * time.Millisecond): // simulates a network that cuts connections
				s.end(i%2 == 0)
			}
		}
	})
	const each, vus = 150, 6
	outcomes := make([][each]scenarios.Outcome, vus)
	for v := range vus {
		u := f.user(t, v)
		users.Go(func() {
			for i := range each {
				u.It.Vars[0].SetText(fmt.Sprintf("%d-%d", v, i))
				outcomes[v][i] = u.Do(0, long)
			}
		})
	}
	users.Wait()
	close(stop)
	ends.Wait()
	s.Stop() // no call is under way
	served := map[string]int{}
	for _, head := range s.metadata() {
		served[head["mark"][0]]++
	}
	failed := 0
	for v := range outcomes {
		for i, out := range outcomes[v] {
			mark := fmt.Sprintf("%d-%d", v, i)
			switch n := served[mark]; {
			case n > 1:
				t.Errorf("%s was served %d times", mark, n)
			case n == 1 && !out.WasSent:
				t.Errorf("%s was served and counts as not sent", mark)
			case n == 0 && out.Answered:
				t.Errorf("%s was answered and never served", mark)
			}
			if out.Kind == scenarios.Error {
				failed++
				if !slices.Contains([]scenarios.Cause{scenarios.Closed, scenarios.Reset, statusCause(14)}, out.Cause) {
					t.Errorf("%s: %s", mark, out.Cause)
				}
			}
		}
	}
	if failed == 0 {
		t.Error("no call failed: nothing was cut")
	}
}
