package nats_test

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/targets"
	"brunt/targets/nats"
	"brunt/targets/targetstest"
)

// long is a timeout that passes only if something is wrong.
const long = 30 * time.Second

// newFixture creates a client of the endpoint of o.
func newFixture(t testing.TB, o targets.Options, steps ...string) *targetstest.Fixture {
	t.Helper()
	return targetstest.NewFixture(t, nats.Descriptor(), o, steps...)
}

// TestCall judges answers.
func TestCall(t *testing.T) {
	const stored = `{"stream":"S","seq":7}`
	for _, c := range []struct{ name, step, says, want, message string }{
		{"reply", `{nats.request: a, message: '{"n": 5}', check: {$.n: 5}}`, "", "ok", ""},
		{"another reply", `{nats.request: a, message: '{"n": 6}', check: {$.n: 5}}`, "", "error, check $.n", "$.n was"},
		{"text", `{nats.request: a, message: hello, check: {text: hello}}`, "", "ok", ""},
		{"published", `{nats.publish: a, message: hello}`, "", "ok", ""},
		{
			"not permitted", `{nats.publish: a}`, "-ERR 'Permissions Violation for Publish to \"a\"'\r\n",
			"error, error permissions violation", `Permissions Violation for Publish to "a"`,
		},
		{"stored", `{nats.publish: a, ack: stream, check: {$.seq: 7}}`, "REPLY " + stored, "ok", ""},
		{
			"not stored", `{nats.publish: a, ack: stream}`,
			`REPLY {"error":{"code":503,"err_code":10077,"description":"maximum messages exceeded"}}`,
			"error, error 10077", "maximum messages exceeded",
		},
		{"no stream", `{nats.publish: a, ack: stream}`, "STATUS 503", "error, status 503", "no one listens to a"},
		{
			"stored without a number", `{nats.publish: a, ack: stream}`, `REPLY {"stream":"S"}`,
			"error, protocol", "no acknowledgement of a stream",
		},
		{
			"stored in no stream", `{nats.publish: a, ack: stream}`, `REPLY {"seq":7}`,
			"error, protocol", "no acknowledgement of a stream",
		},
		{"another answers", `{nats.publish: a, ack: stream}`, "REPLY +OK", "error, protocol", "no acknowledgement of a stream"},
		{"allowed", `{nats.request: a, check: {allow: 503}}`, "STATUS 503", "ok", ""},
		{"allowed by name", `{nats.request: a, check: {allow: no responders}}`, "STATUS 503", "ok", ""},
		{"shed", `{nats.request: a, check: {shed: [429]}}`, "STATUS 429 busy", "shed", ""},
		{
			"a service's error", `{nats.request: a}`, "HEADERS Nats-Service-Error: no funds\r\nNats-Service-Error-Code: 402",
			"error, status 402", "no funds",
		},
		{
			"the API's error", `{nats.request: $JS.API.STREAM.INFO.S}`,
			`REPLY {"error":{"code":404,"err_code":10059,"description":"stream not found"}}`, "error, error 10059",
			"stream not found",
		},
		{"notices", `{nats.request: a, message: hi, check: {text: hi}}`, "NOISE", "ok", ""},
		{"nonsense", `{nats.request: a}`, "HELLO\r\n", "error, protocol", "no line of the protocol"},
		{"too short", `{nats.request: a}`, "MSG a 1 1\r\nabc\r\n", "error, protocol", "longer than its line says"},
	} {
		t.Run(c.name, func(t *testing.T) {
			kept := new(targetstest.Sampler)
			s := start(t, options{say: func(subject, reply, body string) string {
				switch verb, rest, _ := strings.Cut(c.says, " "); verb {
				case "":
					return msg(reply, "", body)
				case "REPLY":
					return msg(reply, "", rest)
				case "STATUS":
					return msg(reply, "NATS/1.0 "+rest+"\r\n\r\n", "")
				case "HEADERS":
					return msg(reply, "NATS/1.0\r\n"+rest+"\r\n\r\n", "")
				case "NOISE": // of the server, and of an earlier call
					return "INFO {}\r\nPING\r\n+OK\r\n" + msg(reply+"9", "", "old") + msg(reply, "", body)
				}
				return c.says
			}})
			f := newFixture(t, targets.Options{Base: s.Base(), Sampler: kept}, c.step)
			out := f.Flow.Open(t, f.Client, f.T0, 0).Do(0, long)
			if got := f.Got(out); got != c.want {
				t.Errorf("got %s, want %s: %+v", got, c.want, kept.Kept)
			}
			if c.message != "" && (len(kept.Kept) != 1 || !strings.Contains(kept.Kept[0].Message, c.message)) {
				t.Errorf("samples %+v, want %q", kept.Kept, c.message)
			}
		})
	}
}

// TestLogin: what a server says before the first call.
func TestLogin(t *testing.T) {
	for _, c := range []struct {
		name, user, want, hello, message string
		options
	}{
		{"password", "app:sesame@", "ok", `"user":"app","pass":"sesame"`, "", options{}},
		{"token", "sesame@", "ok", `"auth_token":"sesame"`, "", options{}},
		{"refused", "", "error, error authorization violation", "", "", options{refuse: "Authorization Violation"}},
		{
			"wants TLS", "", "error, tls", "", "write nats+tls:// instead of nats://",
			options{info: `{"headers":true,"tls_required":true}`},
		},
		{"too old", "", "error, protocol", "", "", options{info: `{}`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, c.options)
			kept := new(targetstest.Sampler)
			f := newFixture(t, targets.Options{
				Base: strings.Replace(s.Base(), "://", "://"+c.user, 1), Sampler: kept,
			}, "nats.request: a")
			out := f.Flow.Open(t, f.Client, f.T0, 0).Do(0, long)
			if got := f.Got(out); got != c.want || out.WasSent != (c.want == "ok") {
				t.Errorf("got %s, want %s: %+v", got, c.want, out)
			}
			if c.message != "" && !strings.Contains(kept.Kept[0].Message, c.message) {
				t.Errorf("it says %q", kept.Kept[0].Message)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if c.hello != "" && (len(s.hello) != 1 || !strings.Contains(s.hello[0], c.hello)) {
				t.Errorf("it said %q", s.hello)
			}
		})
	}
}

// TestConsume_Ends: messages that came before a pull was ended by a status are taken, and acknowledged.
func TestConsume_Ends(t *testing.T) {
	var acks atomic.Int64
	s := start(t, options{say: func(subject, reply, body string) string {
		if strings.HasPrefix(subject, "$JS.ACK.") {
			acks.Add(1)
			return msg(reply, "", "")
		}
		return "MSG orders 1 $JS.ACK.S.c.1.1.1.1.1 3\r\none\r\nMSG orders 1 $JS.ACK.S.c.1.2.2.1.0 3\r\ntwo\r\n" +
			msg(reply, "NATS/1.0 409 Leadership Change\r\n\r\n", "")
	}})
	f := newFixture(t, targets.Options{Base: s.Base()},
		`{nats.consume: S, consumer: c, messages: 5, check: {"$[1]": two, "$[2]": absent}}`)
	out := f.Flow.Open(t, f.Client, f.T0, 0).Do(0, long)
	if out.Kind != scenarios.OK || acks.Load() != 2 {
		t.Errorf("%s, %d acknowledged: %+v", f.Got(out), acks.Load(), out)
	}
}

// TestPing: a connection answers the server's ping after the deadline of its last call, whether a user keeps it or not.
func TestPing(t *testing.T) {
	for _, step := range []string{"nats.request: pings", "{nats.subscribe: pings, keep: user, within: 10ms}"} {
		t.Run(step, func(t *testing.T) {
			s := start(t, options{})
			f := newFixture(t, targets.Options{Base: s.Base()}, step)
			u := f.Flow.Open(t, f.Client, f.T0, 0)
			if out := u.Do(0, targetstest.SlowTime/2); out.Kind != scenarios.OK {
				t.Fatalf("%s: %+v", f.Got(out), out)
			}
			suite.Until(t, "the answer to the ping", func() bool { return s.pongs.Load() == 1 })
			if out := u.Do(0, long); out.Kind != scenarios.OK || s.Connections() != 1 {
				t.Errorf("%s, %d connections: %+v", f.Got(out), s.Connections(), out)
			}
		})
	}
}

// TestKept_Ends: messages that came before the end of a kept connection are taken, and then the end is an error, as
// messages may be missed until the next subscription.
func TestKept_Ends(t *testing.T) {
	s := start(t, options{})
	f := newFixture(t, targets.Options{Base: s.Base()}, `{nats.subscribe: ends, keep: user, extract: {message: $}}`)
	u := f.Flow.Open(t, f.Client, f.T0, 0)
	for _, want := range []string{"1", "2", "3", "closed", "1"} {
		out := u.Do(0, long)
		got := strings.TrimPrefix(u.Var("message"), ":")
		if out.Kind != scenarios.OK {
			got = out.Cause.String()
		}
		if got != want {
			t.Fatalf("got %q, want %q: %+v", got, want, out)
		}
	}
}

// TestCluster: a server that is lost is not asked again while another answers, and none that a server announces is.
func TestCluster(t *testing.T) {
	a, b := start(t, options{info: `{"headers":true,"connect_urls":["192.0.2.1:4222"]}`}), start(t, options{})
	asked := map[string]int{}
	var mu sync.Mutex
	f := newFixture(t, targets.Options{
		Base: a.Base() + "?addr=" + b.Addr().String(), Allow: targetstest.Gate(func(_ netip.Addr, hostport, _ string) error {
			mu.Lock()
			defer mu.Unlock()
			asked[hostport]++
			if hostport != a.Addr().String() && hostport != b.Addr().String() {
				return errors.New("a stranger")
			}
			return nil
		}),
	}, "nats.request: a", "nats.request: cut")
	u := f.Flow.Open(t, f.Client, f.T0, 0)
	if out := u.Do(0, long); out.Kind != scenarios.OK || a.Connections() != 1 || b.Connections() != 0 {
		t.Fatalf("%+v, %d and %d connections", out, a.Connections(), b.Connections())
	}
	_ = a.Close()
	if out := u.Do(1, long); out.Cause != scenarios.Closed {
		t.Fatalf("%+v", out)
	}
	for range 3 {
		if out := u.Do(0, long); out.Kind != scenarios.OK {
			t.Fatalf("%+v", out)
		}
	}
	if len(asked) != 2 || b.Connections() != 1 {
		t.Errorf("%v, %d connections to the second", asked, b.Connections())
	}
}

// TestHostile: a message that is said to be large takes no memory before it comes.
func TestHostile(t *testing.T) {
	s := start(t, options{say: func(_, reply, _ string) string {
		return fmt.Sprintf("MSG %s 1 60000000\r\nhello", reply)
	}})
	f := newFixture(t, targets.Options{Base: s.Base()}, "nats.request: a")
	u := f.Flow.Open(t, f.Client, f.T0, 0)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	out := u.Do(0, 100*time.Millisecond)
	runtime.ReadMemStats(&after)
	if took := (after.TotalAlloc - before.TotalAlloc) >> 20; out.Cause != scenarios.Timeout || took > 5 {
		t.Errorf("%+v took %d MiB", out, took)
	}
}

func TestCompile_Mistakes(t *testing.T) {
	for _, c := range []struct{ step, want string }{
		{"nats.publish: orders..new", "has an empty part"},
		{"nats.publish: orders new", "has a blank"},
		{`nats.publish: "orders.*"`, "has a wildcard"},
		{"{nats.publish: orders, ack: on}", "`ack` of this step is server or stream"},
		{"{nats.publish: orders, ack: storage}", "known are"},
		{"{nats.publish: orders, consumer: shop}", "`consumer` belongs to a step of nats.consume"},
		{"{nats.publish: orders, mesage: hi}", `did you mean "message"?`},
		{"nats.consume: ORDERS", "wants the name of a consumer"},
		{"{nats.consume: ORDERS, consumer: shop, message: hi}", "`message` belongs to a step of nats.publish, nats.request"},
		{"{nats.request: a, check: {allow: maybe}}", `"maybe" is not an error of this protocol; such as 503 or 10071`},
		{"{nats.request: a, check: {txt: hi}}", `unknown check "txt"; did you mean "text"?`},
		{"{nats.request: a, check: 1}", "check wants a map"},
		{"{nats.request: a, extract: {a: id}}", `want "$.path"`},
	} {
		if _, err := targetstest.Try(nats.Descriptor(), "", c.step); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v\nwant %s", c.step, err, c.want)
		}
	}
}
