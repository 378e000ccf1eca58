package load

import (
	"context"
	"errors"
	"maps"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
)

func TestClosed_ConstantVUs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		r.answer = takes(100 * ms)
		stats := r.do(t, r.run(t, `{executor: constant-vus, vus: 5, duration: 10s, start: 30s}`, get))
		list := r.outcomes(0)
		if len(list) != 500 || r.most.Load() != 5 || stats.VirtualUser != 5 || stats.End != 40*time.Second ||
			r.closed.Load() != 5 {
			t.Fatalf("%d requests, %d at once, %+v", len(list), r.most.Load(), stats)
		}
		for _, o := range list {
			if !o.Closed || o.Intended != o.Slot || o.Lag() != 0 || o.Queue() != 0 || o.Response() != 100*ms ||
				o.Intended < 30*time.Second || o.Intended >= 40*time.Second {
				t.Fatalf("%+v", o)
			}
		}
	})
}

// TestClosed_Stacks: a user leaves the stack that its first iteration needed.
func TestClosed_Stacks(t *testing.T) {
	const users = 500
	stacks := func() uint64 {
		s := []metrics.Sample{{Name: "/memory/classes/heap/stacks:bytes"}}
		metrics.Read(s)
		return s[0].Value.Uint64()
	}
	before, most := stacks(), uint64(0)
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		r.answer = func(it *template.Iter, _ call, _ time.Duration) verdict {
			switch {
			case it.N < users:
				deep(40)
			case it.N == 3*users-1: // each user waits in its last iteration
				runtime.GC() // frees the stacks that they left
				most = stacks()
			}
			return verdict{after: ms}
		}
		r.do(t, r.run(t, `{executor: per-vu-iterations, vus: 500, iterations: 3, max_duration: 10s}`, get))
		if n := len(r.outcomes(0)); n != 3*users {
			t.Errorf("%d requests", n)
		}
	})
	if each := (most - min(before, most)) / users; each > 16<<10 {
		t.Errorf("the stack of each user takes %d bytes", each)
	}
}

// deep needs n KiB of stack.
//
//go:noinline
func deep(n int) byte {
	var b [1 << 10]byte
	if n == 0 {
		return b[0]
	}
	b[n] = 1
	return deep(n-1) + b[n]
}

// Closed loads hide a stall: five users are delayed at most five times.
func TestClosed_StallHitsEachUserOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		r.answer = func(it *template.Iter, k call, now time.Duration) verdict {
			v := frozen(it, k, now)
			v.after += ms
			return v
		}
		r.do(t, r.run(t, `{executor: constant-vus, vus: 5, duration: 10s}`, get))
		slow := 0
		for _, o := range r.outcomes(0) {
			if o.Response() > 2*ms {
				slow++
			}
		}
		if slow != 5 {
			t.Errorf("%d slow requests", slow)
		}
	})
}

func TestClosed_RampingVUs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		r.answer = takes(10 * ms)
		run := r.run(t, `{executor: ramping-vus, stages: [{vus: 10, duration: 10s}, {vus: 10, duration: 5s}, {vus: 2, duration: 0s}, `+
			`{vus: 2, duration: 5s}, {vus: 0, duration: 2s}, {vus: 4, duration: 4s}]}`, get)
		stats := r.do(t, run)
		// The number of requests in each 100 ms shows the number of users.
		byTenth := map[time.Duration]float64{}
		for _, o := range r.outcomes(0) {
			byTenth[o.Intended/(100*ms)] += .1
		}
		for tenth := range 26 * 10 {
			at := time.Duration(tenth)*100*ms + 50*ms
			want := run.Plan.Users.At(at)
			// Users are whole: a user starts as soon as more than id users are due.
			if got := byTenth[time.Duration(tenth)]; got < want-.3 || got > want+1.3 {
				t.Errorf("at %v there were %.1f users, asked for were %.1f", at, got, want)
			}
		}
		if stats.VirtualUser != 10 || r.most.Load() != 10 || stats.End != 26*time.Second {
			t.Errorf("%+v, %d at once", stats, r.most.Load())
		}
	})
}

// On a slope as flat as this, rounding hides the time at which a user is due.
func TestClosed_FlatSlope(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		r.answer = takes(10 * time.Minute)
		run := r.run(t, `{executor: ramping-vus, start_vus: 99999, stages: [{vus: 100000, duration: 8000h}]}`, get)
		from := run.activeFrom(99999, 0)
		at := from
		for range 100 {
			if run.Plan.Users.At(at) > 99999 {
				return
			}
			if next := run.activeFrom(99999, at); next < at+ms {
				t.Fatalf("from %v on user 99999 is due at %v", at, next)
			} else {
				at = next
			}
		}
		t.Errorf("from %v on it never is", from)
	})
}

func TestClosed_ActiveFrom(t *testing.T) {
	run := &Run{}
	run.Plan, _ = planOf(t,
		`{executor: ramping-vus, start_vus: 2, stages: [{vus: 4, duration: 10s}, {vus: 0, duration: 10s}, {vus: 0, `+
			`duration: 10s}, {vus: 3, duration: 0s}, {vus: 3, duration: 10s}]}`)
	for _, c := range []struct {
		id   int
		t    time.Duration
		want time.Duration
	}{
		{0, 0, 0},
		{1, 3 * time.Second, 3 * time.Second},
		{2, 0, 1},
		{3, 0, 5*time.Second + 1},
		{3, 6 * time.Second, 6 * time.Second},
		{3, 13 * time.Second, never},
		{4, 0, never},
		{0, 20 * time.Second, 30 * time.Second},
		{2, 16 * time.Second, 30 * time.Second},
		{0, 40 * time.Second, never},
	} {
		if got := run.activeFrom(c.id, c.t); got != c.want && got != c.want+ms-1 {
			t.Errorf("user %d from %v on: %v, want %v", c.id, c.t, got, c.want)
		}
	}
}

func TestClosed_PerVUIterations(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		each := map[int]int{}
		r.answer = func(it *template.Iter, _ call, _ time.Duration) verdict {
			each[it.VU]++
			return verdict{after: time.Duration(it.VU+1) * 100 * ms}
		}
		stats := r.do(t, r.run(t, `{executor: per-vu-iterations, vus: 3, iterations: 7}`, get))
		if !maps.Equal(each, map[int]int{0: 7, 1: 7, 2: 7}) {
			t.Errorf("%v", each)
		}
		if stats.End != 2100*ms || r.now() != 2100*ms {
			t.Errorf("it ended at %v, %v", stats.End, r.now())
		}
		seen := map[int64]bool{}
		for _, n := range r.sent {
			seen[n] = true
		}
		if len(seen) != 21 {
			t.Errorf("%d numbers for 21 iterations: %v", len(seen), r.sent)
		}
	})
}

func TestClosed_SharedIterations(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		each := map[int]int{}
		r.answer = func(it *template.Iter, _ call, _ time.Duration) verdict {
			each[it.VU]++
			return verdict{after: time.Duration(it.VU+1) * 100 * ms}
		}
		r.do(t, r.run(t, `{executor: shared-iterations, vus: 3, iterations: 110}`, get))
		if n := each[0] + each[1] + each[2]; n != 110 || each[0] < 55 || each[2] > 25 {
			t.Errorf("%v", each)
		}
	})
}

func TestClosed_MaxDuration(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		r.answer = takes(300 * ms)
		stats := r.do(t, r.run(t, `{executor: shared-iterations, vus: 2, iterations: 1000, max_duration: 3s}`, get))
		if n := len(r.outcomes(0)); n != 20 || stats.End != 3*time.Second {
			t.Errorf("%d requests, %+v", n, stats)
		}
	})
}

func TestClosed_Warmup(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		r.answer = takes(100 * ms)
		run := r.run(t, `{executor: per-vu-iterations, vus: 2, iterations: 5}`, get)
		r.t0 = time.Now().Add(4 * time.Second)
		run.Warmup = 3 * time.Second
		r.do(t, run)
		warm, judged := 0, 0
		for _, o := range r.outcomes(0) {
			if o.Intended < 0 {
				warm++
			} else {
				judged++
			}
		}
		if warm != 60 || judged != 10 {
			t.Errorf("%d in the warm-up, %d judged", warm, judged)
		}
		seen := map[int64]bool{}
		for _, n := range r.sent {
			if seen[n] {
				t.Errorf("two iterations are numbered %d", n)
			}
			seen[n] = true
		}
	})
}

func TestClosed_Cancelled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		r.answer = takes(100 * ms)
		run := r.run(t, `{executor: constant-vus, vus: 2, duration: 1h}`, get, think(20*time.Second))
		ctx, cancel := context.WithTimeout(context.Background(), 6*time.Second)
		defer cancel()
		stats, err := run.Go(ctx)
		if err != nil || r.now() != 5*time.Second || stats.End != 5*time.Second {
			t.Errorf("%v at %v, %+v", err, r.now(), stats)
		}
	})
}

func TestClosed_GraceIsOver(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		r.answer = takes(-1)
		run := r.run(t, `{executor: constant-vus, vus: 3, duration: 5s}`, get)
		run.Timeout, run.Grace = time.Hour, 2*time.Second
		r.do(t, run)
		if k := r.kinds(0); k[scenarios.Error] != 3 || r.outcomes(0)[0].Cause != scenarios.Unfinished ||
			r.now() != 7*time.Second {
			t.Errorf("%v at %v", k, r.now())
		}
	})
}

func TestClosed_UserCannotBeOpened(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		r.answer = takes(100 * ms)
		r.opened = func(vu int) error {
			if vu == 1 {
				return errBroken
			}
			return nil
		}
		_, err := r.run(t, `{executor: constant-vus, vus: 3, duration: 1h}`, get).Go(context.Background())
		if !errors.Is(err, errBroken) {
			t.Error(err)
		}
	})
}

// TestClosed_Every: an iteration of a user begins a period after the one before, also after one that failed and left
// out its pause, and at once after one that took longer.
func TestClosed_Every(t *testing.T) {
	for _, tt := range []struct {
		name, executor string
		takes          time.Duration
		fails          bool
		requests       int
		least, most    time.Duration // between two begins of a user
	}{
		{"good", `{executor: constant-vus, vus: 2, duration: 10s, every: 1s}`, 100 * ms, false, 20, time.Second, time.Second},
		{
			"failed", `{executor: constant-vus, vus: 2, duration: 10s, every: 1s}`, 100 * ms, true, 20, time.Second,
			time.Second,
		},
		{"longer", `{executor: constant-vus, vus: 2, duration: 10s, every: 1s}`, 2500 * ms, false, 8, 2500 * ms, 2500 * ms},
		{
			"a range", `{executor: constant-vus, vus: 2, duration: 10s, every: 500ms..2s}`, 100 * ms, false, 0, 500 * ms,
			2 * time.Second,
		},
		{
			"by number", `{executor: per-vu-iterations, vus: 2, iterations: 4, every: 1s}`, 100 * ms, false, 8, time.Second,
			time.Second,
		},
		{
			"shared", `{executor: shared-iterations, vus: 2, iterations: 9, every: 1s}`, 100 * ms, false, 9, time.Second,
			time.Second,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				r := newFakeTarget()
				begins := map[int][]time.Duration{}
				r.answer = func(it *template.Iter, _ call, now time.Duration) verdict {
					begins[it.VU] = append(begins[it.VU], now)
					if tt.fails {
						return verdict{after: tt.takes, kind: scenarios.Error}
					}
					return verdict{after: tt.takes}
				}
				r.do(t, r.run(t, tt.executor, get))
				n := 0
				for _, at := range begins {
					n += len(at)
					for i := 1; i < len(at); i++ {
						if gap := at[i] - at[i-1]; gap < tt.least || gap > tt.most {
							t.Errorf("%v between two iterations", gap)
						}
					}
				}
				if len(begins) != 2 || tt.requests > 0 && n != tt.requests || n < 8 {
					t.Errorf("%d requests of %d users, want %d", n, len(begins), tt.requests)
				}
			})
		})
	}
}
