package stream_test

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/suite"

	"github.com/gobwas/ws"
)

// TestMessage_Allocations: a message without placeholders and its answer allocate nothing once the stream is open.
func TestMessage_Allocations(t *testing.T) {
	if suite.Race {
		t.Skip("the race detector allocates")
	}
	f := newFixture(t, "ws://"+echoing(t), `{ws: /, as: room, name: join}`, `{send: hello, to: room, expect: hello}`)
	u := f.user(t, 0)
	good(t, u, 0)
	u.It.Deadline = time.Minute
	out := new(scenarios.Outcome)
	if n := testing.AllocsPerRun(500, func() {
		*out = scenarios.Outcome{}
		if u.Session.Do(&u.It, f.flow.Calls[1], out); out.Kind != scenarios.OK {
			t.Fatalf("%+v", out)
		}
	}); n > 0 {
		t.Errorf("%v allocations a message", n)
	}
}

func BenchmarkMessage(b *testing.B) {
	f := newFixture(b, "ws://"+echoing(b), `{ws: /, as: room, name: join}`, `{send: hello, to: room, expect: hello}`)
	u := f.user(b, 0)
	u.Do(0, long)
	b.ReportAllocs()
	for b.Loop() {
		if out := u.Do(1, 10*time.Second); out.Kind != scenarios.OK {
			b.Fatalf("%+v", out)
		}
	}
}

// echoing is a server that answers each frame with the same, without an allocation of its own. It returns its address.
func echoing(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		if _, err := ws.Upgrade(c); err != nil {
			t.Error(err)
			return
		}
		b := make([]byte, 11) // a frame of five bytes with its mask
		for {
			if _, err := io.ReadFull(c, b); err != nil {
				return
			}
			for i := range 5 {
				b[6+i] ^= b[2+i%4]
			}
			b[4], b[5] = 0x81, 5
			if _, err := c.Write(b[4:]); err != nil {
				return
			}
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		all.Wait()
	})
	return l.Addr().String()
}
