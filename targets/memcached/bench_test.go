package memcached_test

import (
	"net"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/targets/memcached"
	"brunt/targets/targetstest"
)

// mute answers each request with the same bytes, as cheaply as possible.
func mute(t testing.TB, answer string) (base string) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				b, out, said := make([]byte, 4<<10), []byte("VERSION 1.6.18\r\n"), []byte(answer)
				for {
					if _, err := c.Read(b); err != nil {
						return
					}
					if _, err := c.Write(out); err != nil {
						return
					}
					out = said
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		all.Wait()
	})
	return "memcached://" + l.Addr().String()
}

// benched are calls whose cost is measured, and their most allocations.
var benched = []struct {
	name, step, answer string
	most               float64
}{
	{"get", "memcached.get: user:1", "VA 5\r\nhello\r\n", 1},                   // the value
	{"template", `memcached.get: "user:${int(1,50)}"`, "VA 5\r\nhello\r\n", 2}, // and the key
	{"absent", "memcached.get: user:1", "EN\r\n", 0},
	{"set", "{memcached.set: user:1, message: hello, ttl: 60s}", "HD\r\n", 0},
}

func BenchmarkCall(b *testing.B) {
	for _, c := range benched {
		b.Run("call="+c.name, func(b *testing.B) {
			b.ReportAllocs()
			u, got := user(b, mute(b, c.answer), c.step)
			for b.Loop() {
				if out := u.Do(0, time.Minute); out.Kind != scenarios.OK {
					b.Fatal(got(out))
				}
			}
		})
	}
}

// TestCall_Allocations: a call allocates what it hands on, and nothing else.
func TestCall_Allocations(t *testing.T) {
	if suite.Race {
		t.Skip("the race detector allocates")
	}
	for _, c := range benched {
		f := targetstest.Compile(t, memcached.Descriptor(), "", c.step)
		u, got := open(t, mute(t, c.answer), f)
		u.It.Deadline = time.Minute
		out := new(scenarios.Outcome)
		n := testing.AllocsPerRun(500, func() {
			*out = scenarios.Outcome{}
			if u.Session.Do(&u.It, f.Calls[0], out); out.Kind != scenarios.OK {
				t.Fatal(got(*out))
			}
		})
		if n > c.most {
			t.Errorf("%s: %.0f allocations a call, want at most %.0f", c.name, n, c.most)
		}
	}
}
