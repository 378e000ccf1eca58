package stream_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
)

const pingTime = 3

// TestStream_Ping: pings are sent and measured, and one that a server leaves unanswered is an error.
func TestStream_Ping(t *testing.T) {
	s := start(t, "ws")
	f := newFixture(t, s.Base(), `{ws: /, as: room, name: join, ping: 20ms}`, `{send: hold, name: hold}`,
		`{await: never, within: 300ms, name: wait}`)
	u := f.user(t, 0)
	good(t, u, 0)
	u.Do(2, long)
	good(t, u, 1) // from now on it reads nothing
	within(t, "the last message", func() bool { return s.Held() == 1 })
	before := time.Since(f.t0)
	u.Do(2, long)
	s.Release()
	ended(u)
	var ok, lost int
	for _, o := range f.of("join", pingTime) {
		switch {
		case o.Kind == scenarios.OK && o.Sent < before && o.End >= o.Sent:
			ok++
		case o.Cause == scenarios.Timeout && o.End-o.Sent >= 19*time.Millisecond:
			lost++
		}
	}
	if ok < 3 || lost < 3 {
		t.Errorf("%d pings were answered and %d not: %+v", ok, lost, f.of("join", pingTime))
	}
	if n := len(f.of("join", heldTime)); n != 1 {
		t.Errorf("held %d times", n)
	}
}

// TestStream_Compress: messages are compressed both ways where the server agrees, and go as they are where it does not.
func TestStream_Compress(t *testing.T) {
	long := strings.Repeat("the same words again and again, ", 400)
	for _, path := range []string{"/", "/plain"} {
		s := start(t, "ws")
		f := newFixture(t, s.Base(), `{ws: `+path+`, as: room, compress: on}`, `{send: "`+long+`", expect: "ok `+long+`"}`,
			`{send: {hex: "01 02"}, expect: ok binary}`, `{send: "", expect: "ok "}`, `{close: room}`)
		u := f.user(t, 0)
		for i := range 5 {
			good(t, u, i)
		}
		within(t, "the end", func() bool { return len(s.logged()) == 4 })
		if log := s.logged(); log[0] != long || log[1] != "binary" || log[2] != "" {
			t.Errorf("%s: the server saw %d bytes, then %q", path, len(log[0]), log[1:])
		}
		if came := s.came.Load(); (path == "/") != (came < 2000) {
			t.Errorf("%s: %d bytes came of a message of %d", path, came, len(long))
		}
		for _, want := range []string{"permessage-deflate", "server_no_context_takeover"} {
			if out := s.handshake(0).Get("Sec-Websocket-Extensions"); !strings.Contains(out, want) {
				t.Errorf("offered %q", out)
			}
		}
	}
}

// TestStream_Keep: a stream that the user keeps is opened in its first iteration, and in one that finds it lost.
func TestStream_Keep(t *testing.T) {
	s := start(t, "ws")
	f := newFixture(t, s.Base(), `{ws: /, as: room, name: join, keep: user}`,
		`{send: hello, to: room, name: say, expect: ok hello}`)
	u := f.user(t, 0)
	for i := range 6 {
		if i == 4 {
			s.cut(true)
			within(t, "the loss", func() bool { return u.Do(1, 10*time.Second).Kind == scenarios.Error })
		}
		u.It.Idle = false
		out := u.Do(0, long)
		if idle := i != 0 && i != 4; out.Kind != scenarios.OK || u.It.Idle != idle || out.WasSent == idle ||
			out.End < out.Intended {
			t.Errorf("iteration %d: idle %v: %+v", i, u.It.Idle, out)
		}
		good(t, u, 1)
		ended(u)
	}
	if n := s.handshakes.Load(); n != 2 {
		t.Errorf("opened %d times", n)
	}
	if held := f.of("join", heldTime); len(held) != 1 || held[0].Cause.String() != "reset" {
		t.Errorf("held %+v", held)
	}
	if err := u.Close(); err != nil {
		t.Error(err)
	}
	if held := f.of("join", heldTime); len(held) != 2 || held[1].Kind != scenarios.OK {
		t.Errorf("held %+v", held)
	}
	within(t, "the end", func() bool {
		return slices.ContainsFunc(s.logged(), func(line string) bool { return strings.Contains(line, "close 1000") })
	})
}

// TestStream_SlowConsumer: a slow consumer of a WebSocket takes so many messages in a second, and the server waits for
// it.
func TestStream_SlowConsumer(t *testing.T) {
	s := start(t, "ws")
	f := newFixture(t, s.Base(), `{ws: /, as: feed, read: 50/s, name: open}`,
		`{send: flood 20 1000, expect: flooded, name: flood}`)
	u := f.user(t, 0)
	good(t, u, 0)
	out := good(t, u, 1)
	if took := out.Took(); took < 380*time.Millisecond || took > 10*time.Second {
		t.Errorf("21 messages at 50/s came in %v", took)
	}
}

// TestStream_Unread: messages that no step takes are bounded in their number and their size, and those that are dropped
// are counted.
func TestStream_Unread(t *testing.T) {
	for _, c := range []struct {
		flood            string
		dropped, untimed int64
	}{
		{"999 1", 0, 0},
		{"1499 1", 500, 0},     // and one that says so
		{"3 600000", 2, 0},     // 1 MiB holds one
		{"10499 1", 9500, 500}, // the times of 10 000 wait
	} {
		s := start(t, "ws")
		f := newFixture(t, s.Base(), `{ws: /, as: feed, name: open}`, `{send: flood `+c.flood+`, expect: flooded}`)
		u := f.user(t, 0)
		good(t, u, 0)
		good(t, u, 1)
		if got := f.Spoken(); got.Dropped != c.dropped || got.Untimed != c.untimed {
			t.Errorf("%s: %d dropped, %d without their times; want %d and %d", c.flood, got.Dropped, got.Untimed, c.dropped,
				c.untimed)
		}
		ended(u)
	}
}
