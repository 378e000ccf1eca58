package stream_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/suite"
)

func wantOut(t *testing.T, out scenarios.Outcome, kind scenarios.Kind, cause scenarios.Cause) {
	t.Helper()
	if out.Kind != kind || out.Cause != cause {
		t.Errorf("got %v %q, want %v %q: %+v", out.Kind, out.Cause, kind, cause, out)
	}
}

// TestUDP_Lost: an answer that does not come is a timeout of the request at its deadline, and the answer to a request
// that timed out is not taken for the answer to the next.
func TestUDP_Lost(t *testing.T) {
	s := start(t, "udp")
	f := newFixture(t, s.Base(), `{udp: mute, expect: exists}`, `{udp: "slow ${int(7,7)}", expect: exists}`,
		`{udp: hello, expect: exists, check: {text: ok hello}}`, `{udp: mute, name: fire}`)
	u := f.user(t, 0)
	out := u.Do(0, 50*time.Millisecond)
	wantOut(t, out, scenarios.Error, scenarios.Timeout)
	if !out.WasSent || out.Answered || out.End != u.It.Deadline {
		t.Errorf("%+v", out)
	}
	wantOut(t, u.Do(1, 100*time.Millisecond), scenarios.Error, scenarios.Timeout)
	good(t, u, 2)
	before := s.Connections()
	for range 20 { // nothing is awaited, so one socket carries them all
		wantOut(t, u.Do(3, long), scenarios.OK, scenarios.NoCause)
	}
	within(t, "the datagrams come", func() bool { return s.Requests() == 23 })
	if n := s.Connections() - before; n > 1 {
		t.Errorf("%d further sockets", n)
	}
	if sm := f.kept[0]; sm.Request != "udp "+s.Base() || !strings.HasPrefix(sm.Message, "no message came") ||
		!strings.Contains(sm.Sent.Command(sm.Sent), "printf '%s' mute | nc -u -w 5 ") {
		t.Errorf("%+v: %s", sm, sm.Sent.Command(sm.Sent))
	}
}

// TestUDP_Unawaited: the answer to a datagram whose step awaits none is not taken for the answer to a later one.
func TestUDP_Unawaited(t *testing.T) {
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	t.Cleanup(func() {
		_ = c.Close()
		all.Wait()
	})
	all.Go(func() { // it answers each datagram when the next one has come
		var last net.Addr
		var text string
		for b := make([]byte, 1<<16); ; {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			if last != nil {
				_, _ = c.WriteTo([]byte("to "+text), last)
			}
			if last, text = from, string(b[:n]); text == "ask" {
				_, _ = c.WriteTo([]byte("to ask"), from)
				last = nil
			}
		}
	})
	f := newFixture(t, "udp://"+c.LocalAddr().String(), `{udp: fire}`, `{udp: ask, expect: exists, check: {text: to ask}}`)
	u := f.user(t, 0)
	for range 3 {
		wantOut(t, u.Do(0, long), scenarios.OK, scenarios.NoCause)
		good(t, u, 1)
	}
}

// TestUDP_Whole: a datagram is one message however large it is and whatever it holds; an empty one is no message.
func TestUDP_Whole(t *testing.T) {
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	t.Cleanup(func() {
		_ = c.Close()
		all.Wait()
	})
	all.Go(func() {
		for b := make([]byte, 1<<16); ; {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = c.WriteTo(nil, from)
			_, _ = c.WriteTo(b[:n], from)
		}
	})
	large := strings.Repeat("a\nb", 20000)
	file := filepath.Join(t.TempDir(), "large.bin")
	if err := os.WriteFile(file, []byte(large), 0o600); err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, "udp://"+c.LocalAddr().String(), `{udp: {file: `+file+`}, expect: exists, extract: {all: text}}`,
		`{udp: {hex: 00 ff 0a}, as: line, name: line, expect: exists}`,
		`{send: '{"id":"${message.id}"}', to: line, expect: {$.id: "${message.id}"}}`, `{close: line}`)
	u := f.user(t, 0)
	good(t, u, 0)
	if got := u.Var("all"); got != large {
		t.Errorf("%d bytes came back, of %d", len(got), len(large))
	}
	for i := 1; i <= 3; i++ {
		good(t, u, i)
	}
	if held := f.of("line", heldTime); len(held) != 1 || held[0].Kind != scenarios.OK {
		t.Errorf("held: %+v", held)
	}
}

// TestFraming_After: a message whose length comes after a type, as PostgreSQL and Kafka have it, is read in steps: the
// type, the length, the rest. The server reads and writes it by code of its own, in pieces.
func TestFraming_After(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	suite.Serve(t, l, func(c net.Conn) {
		defer c.Close()
		head := make([]byte, 5)
		for {
			if _, err := io.ReadFull(c, head); err != nil {
				return
			}
			body := make([]byte, binary.BigEndian.Uint32(head[1:]))
			if _, err := io.ReadFull(c, body); err != nil {
				return
			}
			back := append([]byte{head[0] + 1, 0, 0, 0, byte(len(body))}, bytes.ToUpper(body)...)
			for i := range back { // each byte in a segment of its own
				if _, err := c.Write(back[i : i+1]); err != nil {
					return
				}
			}
		}
	})
	f := newFixture(t, "tcp://"+l.Addr().String(),
		`{tcp: {length: 4, after: 1}, send: "Qline\r\nline", expect: exists, check: {text: "RLINE\r\nLINE"}}`,
		`{tcp: {length: 4, after: 1}, as: line, name: line}`, `{send: "A", to: line, expect: B}`)
	u := f.user(t, 0)
	for i := range 3 {
		good(t, u, i)
	}
	ended(u)
}
