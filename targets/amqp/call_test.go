package amqp_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/targets"
	"brunt/targets/amqp"
	"brunt/targets/targetstest"
)

// long is a timeout that passes only if something is wrong.
const long = 30 * time.Second

// newFixture creates a client of the endpoint of o.
func newFixture(t testing.TB, o targets.Options, steps ...string) *targetstest.Fixture {
	t.Helper()
	return targetstest.NewFixture(t, amqp.Descriptor(), o, steps...)
}

var (
	ack     = made(1, 60, 80, uint64(1), byte(0))
	noRoute = slices.Concat(made(1, 60, 50, uint16(312), "NO_ROUTE", "", "a"), header(2), framed(3, 1, []byte("hi")),
		ack)
	noQueue   = made(1, 20, 40, uint16(404), "NOT_FOUND - no exchange 'x' in vhost '/'", uint16(60), uint16(40))
	forced    = made(0, 10, 50, uint16(320), "CONNECTION_FORCED - shutdown", uint16(0), uint16(0))
	isBlocked = made(0, 10, 60, "low on memory")
	unblocked = made(0, 10, 61)
	heartbeat = framed(8, 0, nil)
)

// TestCall judges answers.
func TestCall(t *testing.T) {
	for _, c := range []struct {
		name, step    string
		says          []byte
		want, message string
	}{
		{"confirmed", "amqp.publish: a", ack, "ok", ""},
		{"several at once", "amqp.publish: a", made(1, 60, 80, uint64(5), byte(1)), "ok", ""},
		{"heartbeats", "amqp.publish: a", slices.Concat(heartbeat, ack), "ok", ""},
		{"nack", "amqp.publish: a", made(1, 60, 120, uint64(1), byte(0)), "error, error nack", "basic.nack"},
		{"nack that is allowed", "{amqp.publish: a, check: {allow: nack}}", made(1, 60, 120, uint64(1), byte(0)), "ok", ""},
		{"shed", "{amqp.publish: a, check: {shed: nack}}", made(1, 60, 120, uint64(1), byte(0)), "shed", ""},
		{"no route", "amqp.publish: a", noRoute, "error, error 312", "NO_ROUTE"},
		{"no route that is allowed", "{amqp.publish: a, check: {allow: NO_ROUTE}}", noRoute, "ok", ""},
		{"channel closed", "amqp.publish: a", noQueue, "error, error 404", "no exchange 'x'"},
		{"connection closed", "amqp.publish: a", forced, "error, error 320", "CONNECTION_FORCED"},
		{"blocked", "amqp.publish: a", isBlocked, "error, error blocked", "low on memory"},
		{"blocked for a while", "amqp.publish: a", slices.Concat(isBlocked, unblocked, ack), "ok", ""},
		{"of an earlier message", "amqp.publish: a", made(1, 60, 80, uint64(0), byte(0)), "error, timeout", ""},
		{
			"blocked in the midst of a content", "amqp.publish: a",
			slices.Concat(noRoute[:len(noRoute)-len(ack)-10], isBlocked,
				noRoute[len(noRoute)-len(ack)-10:len(noRoute)-len(ack)]),
			"error, error blocked", "low on memory",
		},
		{"nonsense", "amqp.publish: a", []byte("HTTP/1.1 400 No\r\n"), "error, protocol", "AMQP: a frame of"},
		{"too short", "amqp.publish: a", framed(1, 1, []byte{0}), "error, protocol", "method without a number"},
		{"not ended", "amqp.publish: a", []byte("\x01\x00\x01\x00\x00\x00\x00\x00"), "error, protocol", "does not end"},
	} {
		t.Run(c.name, func(t *testing.T) {
			kept := new(targetstest.Sampler)
			s := start(t, options{say: func(string, []byte) []byte { return c.says }})
			f := newFixture(t, targets.Options{Base: s.Base(), Sampler: kept}, c.step)
			within := long
			if c.want == "error, timeout" || c.want == "error, error blocked" {
				within = 100 * time.Millisecond
			}
			out := f.Flow.Open(t, f.Client, f.T0, 0).Do(0, within)
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
		name, user, want, login string
		options
	}{
		{"guest", "", "ok", "\x00guest\x00guest", options{}},
		{"user", "app:sesame@", "ok", "\x00app\x00sesame", options{}},
		{
			"refused", "", "error, error 403", "",
			options{refuse: made(0, 10, 50, uint16(403), "ACCESS_REFUSED", uint16(0), uint16(0))},
		},
		{"another version", "", "error, protocol", "", options{begins: []byte("AMQP\x00\x01\x00\x00")}},
		{
			"no PLAIN", "", "error, protocol", "",
			options{begins: made(0, 10, 10, byte(0), byte(9), []byte{}, []byte("EXTERNAL"), []byte("en_US"))},
		},
		{"small frames", "", "error, protocol", "", options{refuse: made(0, 10, 30, uint16(1), uint32(9), uint16(0))}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, c.options)
			f := newFixture(t, targets.Options{Base: strings.Replace(s.Base(), "://", "://"+c.user, 1)}, "amqp.publish: answer")
			out := f.Flow.Open(t, f.Client, f.T0, 0).Do(0, long)
			if got := f.Got(out); got != c.want || out.WasSent != (c.want == "ok") {
				t.Errorf("got %s, want %s: %+v", got, c.want, out)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if c.login != "" && (len(s.logins) != 1 || !strings.Contains(s.logins[0], c.login)) {
				t.Errorf("it said %q", s.logins)
			}
		})
	}
}

// TestLogin_VirtualHost: a virtual host that no frame can hold is not sent.
func TestLogin_VirtualHost(t *testing.T) {
	for length, want := range map[int]string{255: "ok", 256: "error, protocol"} {
		s := start(t, options{})
		f := newFixture(t, targets.Options{Base: s.Base() + "/" + strings.Repeat("v", length)}, "amqp.publish: answer")
		if got := f.Got(f.Flow.Open(t, f.Client, f.T0, 0).Do(0, long)); got != want {
			t.Errorf("%d bytes: got %s, want %s", length, got, want)
		}
	}
}

// TestConsume_Cancelled: what a server sends between basic.cancel and its answer. It may send no more messages
// than are asked for ahead.
func TestConsume_Cancelled(t *testing.T) {
	deliver := slices.Concat(made(1, 60, 60, "tag", uint64(7), byte(0), "", "a"), header(2), framed(3, 1, []byte("hi")))
	over := made(1, 60, 31, "tag")
	for _, c := range []struct {
		name, step string
		says       []byte
		want       string
	}{
		{"nothing", "{amqp.consume: a, within: 10ms, check: {$: absent}}", over, "ok"},
		{"the last", "{amqp.consume: a, within: 10ms, check: {text: hi}}", slices.Concat(deliver, over), "ok"},
		{"too many", "{amqp.consume: a, within: 10ms}", slices.Concat(deliver, deliver), "error, protocol"},
		{"channel closed", "{amqp.consume: a, within: 10ms}", noQueue, "error, error 404"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, options{method: map[string][]byte{"60.30": c.says}})
			f := newFixture(t, targets.Options{Base: s.Base()}, c.step)
			out := f.Flow.Open(t, f.Client, f.T0, 0).Do(0, 5*time.Second)
			if got := f.Got(out); got != c.want || out.End < out.Sent || out.Answered && out.First < out.Sent {
				t.Errorf("got %s, want %s: %+v", got, c.want, out)
			}
		})
	}
}

// TestDepth: the answer is JSON whatever the name of the queue.
func TestDepth(t *testing.T) {
	s := start(t, options{method: map[string][]byte{"50.10": made(1, 50, 11, "a\x01", uint32(3), uint32(1))}})
	f := newFixture(t, targets.Options{Base: s.Base()},
		`{amqp.depth: a, check: {$.messages: 3, $.queue: "a\u0001"}}`)
	if got := f.Got(f.Flow.Open(t, f.Client, f.T0, 0).Do(0, long)); got != "ok" {
		t.Error(got)
	}
}

func TestCompile_Mistakes(t *testing.T) {
	name := strings.Repeat("n", 256)
	for _, c := range []struct{ step, want string }{
		{"{amqp.publish: orders, headers: {" + name + ": 1}}", "has 256 bytes, and AMQP has at most 255"},
		{"{amqp.declare: orders, arguments: {" + name + ": 1}}", "the name of the argument"},
		{"{amqp.publish: orders, ack: on}", "`ack` belongs to a step of amqp.consume"},
		{"{amqp.publish: orders, mandatry: on}", `did you mean "mandatory"?`},
		{"{amqp.consume: orders, ack: later}", "later"},
		{"{amqp.consume: orders, prefetch: 9}", "`prefetch` is of a consumer that is kept; such as keep: user"},
		{"{amqp.declare: orders, type: topic}", "`type` goes with `exchange`"},
		{"{amqp.declare: orders, exchange: o, type: direkt}", `did you mean "direct"?`},
		{"{amqp.depth: orders, message: hi}", "`message` belongs to a step of amqp.publish, amqp.call"},
		{"{amqp.publish: orders, check: {allow: maybe}}", `"maybe" is not an error of this protocol; such as 312`},
	} {
		if _, err := targetstest.Try(amqp.Descriptor(), "", c.step); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v\nwant %s", c.step, err, c.want)
		}
	}
}
