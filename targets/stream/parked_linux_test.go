package stream_test

import (
	"bytes"
	"io"
	"net"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"brunt/targets/targetstest"

	"github.com/gobwas/ws"
)

// reading counts the goroutines that read streams.
func reading(t *testing.T) int {
	t.Helper()
	var b bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&b, 2); err != nil {
		t.Fatal(err)
	}
	return strings.Count(b.String(), "stream.(*conn).read(")
}

// TestParked: a stream on which nothing comes has no goroutine. It gets one for what comes, which answers pings too,
// and for its end.
func TestParked(t *testing.T) {
	for _, scheme := range []string{"ws", "wss"} {
		t.Run(scheme, func(t *testing.T) {
			s := start(t, scheme)
			f := newFixture(t, s.Base(), `{ws: /, as: room, name: join}`, `{send: ping, to: room}`, `{await: ok ping}`,
				`{await: never, within: 100ms}`,
				`{await: ok hello, name: wait}`)
			const users = 40
			all := opened(t, f, users)
			within(t, "the end of all readers", func() bool { return reading(t) == 0 })
			for i, u := range all {
				for range i % 3 { // what comes in quick succession keeps the reader for a moment
					good(t, u, 1)
					good(t, u, 2)
				}
			}
			within(t, "the pongs", func() bool { return s.pongs.Load() == 39 })
			within(t, "the end of all readers after messages", func() bool { return reading(t) == 0 })
			s.cut(false)
			before := time.Since(f.t0)
			if out := all[0].Do(4, long); out.Cause.String() != "closed" || out.End-before > time.Second {
				t.Errorf("%q after %v: %+v", out.Cause, out.End-before, out)
			}
			within(t, "the end of the readers of streams that have ended", func() bool { return reading(t) == 0 })
		})
	}
}

// opened opens a stream for each of some users.
func opened(t *testing.T, f *fixture, users int) (all []*targetstest.User) {
	t.Helper()
	for i := range users {
		u := f.user(t, i)
		good(t, u, 0)
		all = append(all, u)
	}
	return all
}

// TestParked_Leave: a server that does not answer a close frame has a second, and then the connection ends.
func TestParked_Leave(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	began := make(chan time.Time, 2)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		if _, err := ws.Upgrade(c); err != nil {
			t.Error(err)
		}
		_, _ = c.Read(make([]byte, 2)) // of the close frame
		began <- time.Now()
		_, _ = io.Copy(io.Discard, c)
		began <- time.Now()
	}()
	f := newFixture(t, "ws://"+l.Addr().String(), `{ws: /, as: room, name: join}`)
	u := f.user(t, 0)
	good(t, u, 0)
	ended(u)
	asked := <-began
	if took := (<-began).Sub(asked); took < 900*time.Millisecond || took > 10*time.Second {
		t.Errorf("it had %v", took)
	}
}
