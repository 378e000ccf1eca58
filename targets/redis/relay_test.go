package redis_test

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/targets"
	"brunt/targets/targetstest"
)

// TestReal_NothingIsSentTwice: what the server counted is what was sent, while answers are cut off and connections
// reset.
func TestReal_NothingIsSentTwice(t *testing.T) {
	s := serve(t)
	for _, reset := range []bool{false, true} {
		s.cli("flushall")
		r := targetstest.StartRelay(t, s.addr, reset, false)
		// no login that a cut would hit
		f := newFixture(t, targets.Options{Base: "redis://" + r.Addr().String() + "?protocol=2"}, "redis: [INCR, n]")
		var sent, answered atomic.Int64
		var all sync.WaitGroup
		for vu := range 4 {
			u := f.User(t, vu)
			all.Go(func() {
				for range 100 {
					out := u.Do(0, 5*time.Second)
					sent.Add(out.Written())
					if out.Answered {
						answered.Add(1)
					}
				}
			})
		}
		all.Wait()
		if counted := s.cli("get", "n"); counted != strconv.FormatInt(sent.Load(), 10) || answered.Load() == 0 ||
			answered.Load() == sent.Load() {
			t.Errorf("reset %v: the server counted %s, %d were sent and %d answered", reset, counted, sent.Load(),
				answered.Load())
		}
	}
}
