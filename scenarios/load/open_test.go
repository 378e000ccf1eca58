package load

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/template"
)

const ms = time.Millisecond

var get = Step{Call: call("get"), Index: 0}

func TestOpen_AnHour(t *testing.T) {
	bubble(t, func(t *testing.T) {
		if testing.Short() {
			t.Skip("72 000 requests")
		}
		r := newFakeTarget()
		r.answer = takes(30 * ms)
		stats := r.do(t, r.run(t, `{executor: constant-arrival-rate, rate: 20/s, duration: 1h}`, get))
		list := r.outcomes(0)
		if len(list) != 72000 || len(r.outcomes(scenarios.IterationStep)) != 72000 {
			t.Fatalf("%d requests", len(list))
		}
		for i, o := range list {
			if want := time.Duration(i) * 50 * ms; o.Intended != want || o.Kind != scenarios.OK || o.Response() != 30*ms ||
				o.Lag() != 0 || o.Queue() != 0 {
				t.Fatalf("request %d: %+v", i, o)
			}
		}
		if stats.VirtualUser != 1 || stats.PeakFlight != 1 || stats.Full || stats.End != time.Hour || r.closed.Load() != 1 {
			t.Errorf("%+v, %d users closed", stats, r.closed.Load())
		}
	})
}

// TestOpen_Parks checks that the workers that a stall of the target took end their goroutines when no arrival needs
// them any more, keep their users, and serve the next stall.
func TestOpen_Parks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		var calm, stalled, after, again int
		r.answer = func(_ *template.Iter, _ call, now time.Duration) verdict {
			n := runtime.NumGoroutine()
			switch {
			case now < 2*time.Second:
				calm = n
			case now < 3*time.Second:
				stalled = n
				return verdict{after: 3*time.Second - now}
			case now < 30*time.Second:
				after = n
			case now < 31*time.Second:
				again = n
				return verdict{after: 31*time.Second - now}
			}
			return verdict{}
		}
		stats := r.do(t, r.run(t, `{executor: constant-arrival-rate, rate: 100/s, duration: 60s}`, get))
		if stalled < calm+95 || after > calm+1 || again < calm+95 {
			t.Errorf("%d goroutines at first, %d in a stall, %d later, %d in the next stall", calm, stalled, after, again)
		}
		if n := len(r.outcomes(0)); n != 6000 || stats.VirtualUser > 101 || r.closed.Load() != int64(stats.VirtualUser) {
			t.Errorf("%d counted, %d users, %d closed", n, stats.VirtualUser, r.closed.Load())
		}
	})
}

// frozen answers at once, except while the target is frozen from 2 s to 3 s.
func frozen(_ *template.Iter, _ call, now time.Duration) verdict {
	if now >= 2*time.Second && now < 3*time.Second {
		return verdict{after: 3*time.Second - now}
	}
	return verdict{}
}

// TestOpen_FrozenTarget checks that every request that a stalled target delays is counted.
func TestOpen_FrozenTarget(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		r.answer = frozen
		r.do(t, r.run(t, `{executor: constant-arrival-rate, rate: 1000/s, duration: 10s}`, get))
		list := r.outcomes(0)
		if len(list) != 10000 {
			t.Fatalf("%d counted", len(list))
		}
		for q, want := range map[float64]time.Duration{.9: ms, .95: 500 * ms, .99: 900 * ms, .999: 990 * ms} {
			if got := quantile(list, q); (got - want).Abs() > 2*ms {
				t.Errorf("p%v is %v, want %v", 100*q, got, want)
			}
		}
	})
}

func TestOpen_FrozenTargetPoisson(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		r.answer = frozen
		run := r.run(t, `{executor: constant-arrival-rate, rate: 1000/s, duration: 10s, arrivals: poisson}`, get)
		r.do(t, run)
		// The same calculation on the schedule itself.
		var own []scenarios.Outcome
		for _, a := range all(NewCursor(run.Plan.Rate, 0, true, run.seed, Part{})) {
			own = append(own, scenarios.Outcome{Intended: a.at, End: a.at + frozen(nil, "", a.at).after})
		}
		list := r.outcomes(0)
		if len(list) != len(own) {
			t.Fatalf("%d counted of %d", len(list), len(own))
		}
		for _, q := range []float64{.92, .95, .99, .999} {
			if got, want := quantile(list, q), quantile(own, q); (got - want).Abs() > want/100 {
				t.Errorf("p%v is %v, want %v", 100*q, got, want)
			}
		}
	})
}

func TestOpen_MaxInFlight(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		r.answer = takes(ms)
		// Five at once at 602 ms each: 8 of the 100 per second.
		run := r.run(t, `{executor: constant-arrival-rate, rate: 100/s, duration: 2s}`, get, think(600*ms),
			Step{Call: call("second"), Index: 1})
		run.MaxInFlight, run.Timeout = 5, 500*ms
		stats := r.do(t, run)
		list := r.outcomes(0)
		if len(list) != 200 || r.most.Load() > 5 || !stats.Full || stats.VirtualUser != 5 {
			t.Fatalf("%d counted, %d in flight, %+v", len(list), r.most.Load(), stats)
		}
		var first []int64
		began := map[int64]bool{}
		for _, n := range r.sent {
			if !began[n] {
				began[n] = true
				first = append(first, n)
			}
		}
		if !slices.IsSorted(first) {
			t.Errorf("not first come, first served: %v", first)
		}
		sent, queued := 0, false
		for i, o := range list {
			if o.Intended != time.Duration(i)*10*ms || o.Lag() != 0 {
				t.Errorf("request %d: intended %v, lag %v", i, o.Intended, o.Lag())
			}
			queued = queued || o.Queue() > 300*ms
			switch {
			case o.WasSent:
				sent++
				if o.Response() > 500*ms || !began[int64(i)] {
					t.Errorf("request %d took %v", i, o.Response())
				}
			case o.Kind != scenarios.Error || o.Cause != scenarios.Timeout || o.End != o.Intended+500*ms || o.Slot != o.End ||
				began[int64(i)]:
				t.Errorf("request %d never sent: %+v", i, o)
			}
		}
		if sent < 15 || sent > 30 || sent != len(first) || !queued {
			t.Errorf("%d sent, %d met by the target, queued %v", sent, len(first), queued)
		}
		if k := r.kinds(scenarios.IterationStep); k[scenarios.OK]+k[scenarios.Error] != 200 {
			t.Errorf("iterations: %v", k)
		}
		if k := r.kinds(1); k[scenarios.OK]+k[scenarios.Skipped] != 200 || k[scenarios.Skipped] < 150 {
			t.Errorf("second steps: %v", k)
		}
	})
}

func think(d time.Duration) Step { return Step{Index: -1, Think: quantity.Range{Min: d, Max: d}} }

// Unsent arrivals expire on time even without other events: no new arrival, no free worker.
func TestOpen_ExpiresInSilence(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		r.answer = takes(-1)
		run := r.run(t, `{executor: ramping-arrival-rate, start_rate: 2/s, stages: [{rate: 2/s, duration: 1s}, {rate: 0/s, duration: `+
			`0s}, {rate: 0/s, duration: 30s}]}`, get)
		run.MaxInFlight, run.Timeout = 1, 3*time.Second
		var at []time.Duration
		record := r.Record
		run.Sink = func(int) Sink {
			return sinkFunc(func(o *scenarios.Outcome) {
				if o.Step == 0 {
					at = append(at, r.now())
				}
				record(o)
			})
		}
		r.do(t, run)
		if want := []time.Duration{3 * time.Second, 3500 * ms}; !slices.Equal(at, want) {
			t.Errorf("recorded at %v, want %v", at, want)
		}
	})
}

type sinkFunc func(*scenarios.Outcome)

func (f sinkFunc) Record(o *scenarios.Outcome) { f(o) }

// An outage of 60 s at 1000/s with a timeout of 5 s: everything is counted, and at most timeout ×
// rate waiting requests are sent afterwards.
func TestOpen_Outage(t *testing.T) {
	rate := 1000
	if testing.Short() {
		rate = 100
	}
	for _, c := range []struct {
		name  string
		most  int
		catch int // requests sent within the first 100 ms after the outage
	}{
		{"all in flight", 10 * rate, rate/10 + 1},
		{"limit reached", rate / 2, 5*rate + rate/10 + 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				const down, up = 10 * time.Second, 70 * time.Second
				r := newFakeTarget()
				caught := 0
				r.answer = func(_ *template.Iter, _ call, now time.Duration) verdict {
					switch {
					case now >= up && now < up+100*ms:
						caught++
					case now >= down && now < up:
						return verdict{after: -1}
					}
					return verdict{after: ms}
				}
				run := r.run(t, fmt.Sprintf(`{executor: constant-arrival-rate, rate: %d/s, duration: 80s}`, rate), get)
				run.MaxInFlight, run.Timeout = c.most, 5*time.Second
				r.do(t, run)
				list := r.outcomes(0)
				if len(list) != 80*rate || r.most.Load() > int64(c.most) {
					t.Fatalf("%d counted, %d in flight", len(list), r.most.Load())
				}
				for i, o := range list {
					if o.Intended != time.Duration(i)*time.Second/time.Duration(rate) || o.End > o.Intended+5*time.Second {
						t.Fatalf("request %d: %+v", i, o)
					}
					// With all slots in flight, requests that were due during the outage fail.
					if lost := o.Intended >= down && o.Intended < up; c.most == 10*rate && (o.Kind == scenarios.OK) == lost {
						t.Fatalf("request %d at %v: %v", i, o.Intended, o.Kind)
					}
				}
				if caught > c.catch {
					t.Errorf("%d were sent in the first 100 ms, at most %d should", caught, c.catch)
				}
				if last := list[len(list)-1]; last.Kind != scenarios.OK || last.Response() != ms {
					t.Errorf("it never caught up: %+v", last)
				}
			})
		})
	}
}

// Arrivals in line at the load's end are served, then the load ends.
func TestOpen_Drains(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		r.answer = takes(40 * ms)
		run := r.run(t, `{executor: constant-arrival-rate, rate: 100/s, duration: 1s}`, get)
		run.MaxInFlight = 2
		r.do(t, run)
		if k := r.kinds(0); k[scenarios.OK] != 100 || r.now() != 2010*ms {
			t.Errorf("%v at %v", k, r.now())
		}
	})
}

func TestOpen_FailingUsers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		r.answer = func(it *template.Iter, _ call, _ time.Duration) verdict {
			if it.N%4 == 0 {
				return verdict{kind: scenarios.Error, cause: scenarios.Refused}
			}
			return verdict{after: ms}
		}
		r.do(t, r.run(t, `{executor: constant-arrival-rate, rate: 100/s, duration: 4s}`, get))
		if k := r.kinds(0); k != [scenarios.Kinds]int{300, 0, 100, 0} {
			t.Errorf("%v", k)
		}
	})
}

func TestOpen_Warmup(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		run := r.run(t, `{executor: ramping-arrival-rate, start_rate: 10/s, stages: [{rate: 100/s, duration: 2s}]}`, get)
		r.t0 = time.Now().Add(6 * time.Second)
		run.Warmup = 5 * time.Second
		r.do(t, run)
		list := r.outcomes(0)
		warm := 0
		for i, o := range list {
			if o.Intended >= 0 {
				break
			}
			if want := -5*time.Second + time.Duration(i)*100*ms; o.Intended != want {
				t.Errorf("warm-up request at %v, want %v", o.Intended, want)
			}
			warm++
		}
		if warm != 50 || len(list) != 50+110 {
			t.Errorf("%d in the warm-up, %d in all", warm, len(list))
		}
		seen := map[int64]bool{}
		for _, n := range r.sent {
			if seen[n] {
				t.Errorf("two iterations are numbered %d", n)
			}
			seen[n] = true
		}
		if !seen[-1] || !seen[-50] || !seen[0] || !seen[109] {
			t.Errorf("numbers: %v", r.sent)
		}
	})
}

func TestOpen_Start(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		stats := r.do(t, r.run(t, `{executor: constant-arrival-rate, rate: 10/s, duration: 3s, start: 90s}`, get))
		list := r.outcomes(0)
		if len(list) != 30 || list[0].Intended != 90*time.Second || list[0].Lag() != 0 || stats.End != 93*time.Second {
			t.Errorf("%d requests, the first %+v; %+v", len(list), list[0], stats)
		}
	})
}

func TestOpen_Cancelled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		r.answer = takes(700 * ms)
		run := r.run(t, `{executor: constant-arrival-rate, rate: 10/s, duration: 1h}`, get)
		run.MaxInFlight = 3
		ctx, cancel := context.WithTimeout(context.Background(), 6*time.Second) // 5 s after t0
		defer cancel()
		stats, err := run.Go(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if late := r.now() - 5*time.Second; late > LastGrace {
			t.Errorf("it took %v to stop", late)
		}
		if stats.End > 5*time.Second+50*ms {
			t.Errorf("ended at %v", stats.End)
		}
		list := r.outcomes(0)
		if last := list[len(list)-1]; last.Intended > 5*time.Second {
			t.Errorf("an iteration began at %v", last.Intended)
		}
		cut := 0
		for _, o := range list {
			if o.Cause == scenarios.Unfinished {
				cut++
			}
		}
		if n := len(list); n < 50 || n > 51 || cut == 0 {
			t.Errorf("%d counted, %d of them unfinished", n, cut)
		}
	})
}

func TestOpen_CancelledWhileUsersHang(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		r.answer = takes(-1)
		run := r.run(t, `{executor: constant-arrival-rate, rate: 10/s, duration: 1h}`, get)
		run.Timeout = time.Hour
		ctx, cancel := context.WithTimeout(context.Background(), 6*time.Second)
		defer cancel()
		if _, err := run.Go(ctx); err != nil {
			t.Fatal(err)
		}
		if at := r.now(); at != 6*time.Second {
			t.Errorf("it ended at %v, want the end and a second", at)
		}
		for _, o := range r.outcomes(0) {
			if o.Cause != scenarios.Unfinished {
				t.Fatalf("%+v", o)
			}
		}
	})
}

func TestOpen_GraceIsOver(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		r.answer = takes(-1)
		run := r.run(t, `{executor: constant-arrival-rate, rate: 10/s, duration: 5s}`, get)
		run.Timeout, run.Grace, run.MaxInFlight = time.Hour, 4*time.Second, 20
		stats := r.do(t, run)
		if at := r.now(); at != 9*time.Second {
			t.Errorf("it ended at %v", at)
		}
		if k := r.kinds(0); k[scenarios.Error] != 50 {
			t.Errorf("%v", k)
		}
		unsent := 0
		for _, o := range r.outcomes(0) {
			if o.Cause != scenarios.Unfinished || o.End != 9*time.Second {
				t.Fatalf("%+v", o)
			}
			if !o.WasSent {
				unsent++
			}
		}
		if unsent != 30 || stats.End != 5*time.Second || r.closed.Load() != 20 {
			t.Errorf("%d unsent, %+v, %d closed", unsent, stats, r.closed.Load())
		}
	})
}

func TestOpen_UserCannotBeOpened(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		r.answer = takes(time.Second)
		r.opened = func(vu int) error {
			if vu == 3 {
				return errBroken
			}
			return nil
		}
		_, err := r.run(t, `{executor: constant-arrival-rate, rate: 10/s, duration: 1h}`, get).Go(context.Background())
		if !errors.Is(err, errBroken) || r.closed.Load() != 3 {
			t.Errorf("%v, %d closed", err, r.closed.Load())
		}
	})
}

func TestRing(t *testing.T) {
	var r ring
	next, first := int64(0), int64(0)
	for round := range 300 {
		for range round%97 + 1 {
			r.push(job{n: next})
			next++
		}
		for range round % 89 {
			want, _ := r.first()
			if j, ok := r.pop(); !ok || j.n != first || j != want {
				t.Fatalf("popped %v, want %d", j, first)
			}
			first++
		}
	}
	for first < next {
		if j, _ := r.pop(); j.n != first {
			t.Fatalf("popped %v, want %d", j, first)
		}
		first++
	}
	if _, ok := r.pop(); ok || r.n != 0 {
		t.Error("an empty line gave a job")
	}
}
