package mqtt_test

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/targets"
	"brunt/targets/mqtt"
	"brunt/targets/targetstest"
)

// long is a timeout that passes only if something is wrong.
const long = 30 * time.Second

// newFixture creates a client of the endpoint of o.
func newFixture(t testing.TB, o targets.Options, steps ...string) *targetstest.Fixture {
	t.Helper()
	return targetstest.NewFixture(t, mqtt.Descriptor(), o, steps...)
}

// TestCall judges answers.
func TestCall(t *testing.T) {
	for _, c := range []struct{ name, step, says, want, message string }{
		{"accepted", `{mqtt.publish: a}`, "", "ok", ""},
		{"QoS 0", `{mqtt.publish: a, qos: 0}`, "NOTHING", "ok", ""},
		{"no one listens", `{mqtt.publish: a, check: {$.reason: 16}}`, "ACK\x10", "ok", ""},
		{"refused", `{mqtt.publish: a}`, "ACK\x97", "error, error quota exceeded", "quota exceeded"},
		{"with a reason", `{mqtt.publish: a}`, "REASON", "error, error unspecified error", "unspecified error: full"},
		{"allowed", `{mqtt.publish: a, check: {allow: 0x97}}`, "ACK\x97", "ok", ""},
		{"shed", `{mqtt.publish: a, check: {shed: [quota exceeded]}}`, "ACK\x97", "shed", ""},
		{"closed", `{mqtt.publish: a}`, "\xe0\x01\x8b", "error, error server shutting down", "the server closed the connection"},
		{"another's", `{mqtt.publish: a}`, "OTHER", "ok", ""},
		{
			"long header", `{mqtt.publish: a, headers: {b: ` + strings.Repeat("c", 1<<16) + `}}`, "", "error, other",
			"65536 bytes",
		},
		{"nonsense", `{mqtt.publish: a}`, "\x10\x00", "error, protocol", "a server sends no packet of type 1"},
		{"flags", `{mqtt.publish: a}`, "\x41\x02\x00\x01", "error, protocol", "flags 0x1"},
		{"alias", `{mqtt.publish: a}`, "\x30\x07\x00\x01a\x03\x23\x00\x01", "error, protocol", "alias"},
		{"too short", `{mqtt.publish: a}`, "\x40\x01\x00", "error, protocol", "ends too early"},
	} {
		t.Run(c.name, func(t *testing.T) {
			kept := new(targetstest.Sampler)
			s := start(t, options{say: func(_, _ string, id []byte) string {
				switch rest, is := strings.CutPrefix(c.says, "ACK"); {
				case is:
					return ack(4, id, rest[0])
				case c.says == "":
					return ack(4, id, 0)
				case c.says == "NOTHING":
					return ""
				case c.says == "REASON":
					return "\x40\x0b" + string(id) + "\x80\x07\x1f\x00\x04full"
				case c.says == "OTHER": // messages that no one subscribed to, and answers to earlier calls
					return sends("news", "hi") + "\xd0\x00\x40\x02\x77\x77" + ack(4, id, 0)
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

// TestLogin: what a client says first, and what a server answers.
func TestLogin(t *testing.T) {
	expiry := binary.BigEndian.AppendUint32([]byte{5, 0x11}, 3600)
	for _, c := range []struct {
		name, user, query, connack, want string
		hello                            []byte
	}{
		{"version 5", "", "", "", "ok", []byte("\x00\x04MQTT\x05\x02\x00\x00\x00\x00")},
		{"version 3.1.1", "", "?version=3.1.1", "", "ok", []byte("\x00\x04MQTT\x04\x02\x00\x00\x00")},
		{"password", "app:sesame@", "?keep_alive=60s", "", "ok", []byte("\x05\xc2\x00\x3c\x00")},
		{"device", "", "?client=d-&session=1h", "", "ok", append(append([]byte("\x05\x00\x00\x00"), expiry...), "\x00\x05d-0-7"...)},
		{
			"will", "", "?client=d&will=down&will_message=7&will_qos=1&will_retain=on", "", "ok",
			[]byte("\x05\x2e\x00\x00\x00\x00\x04d0-7\x00\x00\x04down\x00\x017"),
		},
		{"refused", "", "", "\x20\x03\x00\x86\x00", "error, error bad user name or password", nil},
		{"refused by 3.1.1", "", "?version=3.1.1", "\x20\x02\x00\x05", "error, error not authorized", nil},
		{"no CONNACK", "", "", "\xd0\x00", "error, protocol", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, options{query: c.query, connack: c.connack})
			f := newFixture(t, targets.Options{Base: strings.Replace(s.Base(), "://", "://"+c.user, 1)}, "mqtt.publish: a")
			u := f.Flow.Open(t, f.Client, f.T0, 7)
			u.It.VU = 7
			out := u.Do(0, long)
			if got := f.Got(out); got != c.want || out.WasSent != (c.want == "ok") {
				t.Errorf("got %s, want %s: %+v", got, c.want, out)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.hello) != 1 || !bytes.Contains(s.hello[0], c.hello) {
				t.Errorf("it said %q, want %q", s.hello, c.hello)
			}
		})
	}
}

// TestSubscribe_Twice: a message of QoS 2 that the server sends again is taken once, and its number is free once the
// server has released it.
func TestSubscribe_Twice(t *testing.T) {
	const message, again, release = "\x34\x07\x00\x01a\x00\x09\x00", "\x3c\x07\x00\x01a\x00\x09\x00", "\x62\x02\x00\x09"
	for said, want := range map[string]string{
		message + "1" + again + "1":                      "[1]",
		message + "1" + again + "1" + message + "2":      "[1]", // it is not released
		"\x32\x07\x00\x01a\x00\x09\x001" + message + "2": "[1,2]",
		"\x30\x05\x00\x01b\x003" + message + "2":         "[2]", // no one subscribed to b
	} {
		s := start(t, options{news: said + release, once: true})
		f := newFixture(t, targets.Options{Base: s.Base()},
			`{mqtt.subscribe: a, qos: 2, keep: user, messages: 9, within: 200ms, extract: {all: $}}`)
		u := f.Flow.Open(t, f.Client, f.T0, 0)
		var got []string
		for range 3 { // one call takes what is there
			if out := u.Do(0, long); out.Kind == scenarios.OK {
				got = append(got, strings.TrimPrefix(u.Var("all"), ":"))
			}
		}
		if text := strings.ReplaceAll(strings.Join(got, ""), "][", ","); text != want {
			t.Errorf("%q: got %s, want %s", said, text, want)
		}
	}
}

// TestWaiting: messages that no step takes hold little memory. The connection is given up when they are more.
func TestWaiting(t *testing.T) {
	large := strings.Repeat("x", 3<<20)
	s := start(t, options{
		query: "?client=d", news: sends("a", "first"),
		say: func(_, _ string, id []byte) string { return strings.Repeat(sends("a", large), 3) + ack(4, id, 0) },
	})
	f := newFixture(t, targets.Options{Base: s.Base()}, "{mqtt.subscribe: a, keep: user}", "mqtt.publish: b")
	u := f.Flow.Open(t, f.Client, f.T0, 0)
	if out := u.Do(0, long); out.Kind != scenarios.OK {
		t.Fatal(f.Got(out))
	}
	if got := f.Got(u.Do(1, long)); got != "error, error quota exceeded" {
		t.Error(got)
	}
}

// TestLeave: a connection that brunt closes ends with DISCONNECT, so that its will is not published.
func TestLeave(t *testing.T) {
	s := start(t, options{})
	f := newFixture(t, targets.Options{Base: s.Base()}, "mqtt.publish: a")
	f.Flow.Open(t, f.Client, f.T0, 0).Do(0, long)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	suite.Until(t, "DISCONNECT to be read", func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.bye == 1
	})
}

// TestHostile: a message that is said to be large takes no memory before it comes.
func TestHostile(t *testing.T) {
	s := start(t, options{say: func(_, _ string, _ []byte) string { return "\x30\xff\xff\xff\x1ehello" }})
	f := newFixture(t, targets.Options{Base: s.Base()}, "mqtt.publish: a")
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
		{"mqtt.publish: devices/+/state", "has a wildcard"},
		{`mqtt.publish: ""`, "the topic is empty"},
		{"mqtt.subscribe: a/#/b", "something follows #"},
		{"{mqtt.publish: a, headers: {" + strings.Repeat("b", 1<<16) + ": c}}", "name of a header has more than 65535 bytes"},
		{"mqtt.subscribe: a+", "a wildcard is not a whole level"},
		{"mqtt.subscribe: $share/g", "$share/GROUP/FILTER"},
		{"{mqtt.publish: a, qos: 3}", "at most 2"},
		{"{mqtt.publish: a, keep: user}", "`keep` belongs to a step of mqtt.subscribe"},
		{"{mqtt.subscribe: a, retain: on}", "`retain` belongs to a step of mqtt.publish"},
		{"{mqtt.publish: a, mesage: hi}", `did you mean "message"?`},
		{"{mqtt.publish: a, check: {allow: maybe}}", `"maybe" is not an error of this protocol; such as 135 or not authorized`},
	} {
		if _, err := targetstest.Try(mqtt.Descriptor(), "", c.step); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v\nwant %s", c.step, err, c.want)
		}
	}
}
