package redis_test

import (
	"net"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/targets"
	"brunt/targets/redis"
	"brunt/targets/targetstest"
)

// mute answers what it reads with the same bytes, as cheaply as possible.
func mute(t testing.TB, answer string) (address string) {
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
				for b, out := make([]byte, 4<<10), []byte(answer); ; {
					if _, err := c.Read(b); err != nil {
						return
					}
					if _, err := c.Write(out); err != nil {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		all.Wait()
	})
	return l.Addr().String()
}

// benched are calls whose cost is measured.
var benched = []struct{ name, step, answer string }{
	{"fixed", "redis: [GET, user:1]", "$5\r\nhello\r\n"},
	{"template", `redis: [GET, "user:${int(1,50)}"]`, "$5\r\nhello\r\n"},
	{"check", `{redis: [GET, user:1], check: {$: hello}}`, "$5\r\nhello\r\n"},
	{"pipeline", "redis: {pipeline: [[INCR, a], [INCR, b], [INCR, c], [INCR, d]]}", ":1\r\n:2\r\n:3\r\n:4\r\n"},
	{"multi", "redis: {multi: [[INCR, a], [INCR, b]]}", "+OK\r\n+QUEUED\r\n+QUEUED\r\n*2\r\n:1\r\n:2\r\n"},
}

// calling opens a user of a server that always answers the same.
func calling(t testing.TB, step, answer string) (*targetstest.User, scenarios.Call) {
	flow := targetstest.Compile(t, redis.Descriptor(), "", step)
	o := targets.Options{Base: "redis://" + mute(t, answer) + "?protocol=2", T0: time.Now(), Timeout: time.Minute}
	client, err := redis.Descriptor().Client(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return flow.Open(t, client, o.T0, 0), flow.Calls[0]
}

func BenchmarkCall(b *testing.B) {
	for _, c := range benched {
		b.Run("call="+c.name, func(b *testing.B) {
			b.ReportAllocs()
			u, _ := calling(b, c.step, c.answer)
			for b.Loop() {
				if out := u.Do(0, time.Minute); out.Kind != scenarios.OK {
					b.Fatal(out)
				}
			}
		})
	}
}

// TestCall_Allocations: a call without placeholders and checks allocates nothing.
func TestCall_Allocations(t *testing.T) {
	if suite.Race {
		t.Skip("the race detector allocates")
	}
	for _, c := range benched {
		u, call := calling(t, c.step, c.answer)
		u.It.Deadline = time.Minute
		out := new(scenarios.Outcome)
		n := testing.AllocsPerRun(500, func() {
			*out = scenarios.Outcome{}
			if u.Session.Do(&u.It, call, out); out.Kind != scenarios.OK {
				t.Fatal(out)
			}
		})
		if most := map[string]float64{"check": 3}[c.name]; n > most {
			t.Errorf("%s: %v allocations a call", c.name, n)
		}
	}
}
