package load

import (
	"context"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/suite"
)

// tool is an engine that answers each request after a delay.
type tool struct {
	now   func() time.Duration
	takes time.Duration
	abort chan struct{}
	seen  []scenarios.Arrival
	early int // arrivals that it received before they were due
}

func (f *tool) Attack(next func() (scenarios.Arrival, bool), record func(scenarios.Arrival, *scenarios.Outcome)) bool {
	type ended struct {
		a scenarios.Arrival
		o scenarios.Outcome
	}
	results := make(chan ended)
	var all sync.WaitGroup
	go func() {
		for a, ok := next(); ok; a, ok = next() {
			if f.now() < a.Intended {
				f.early++
			}
			f.seen = append(f.seen, a)
			all.Go(func() {
				o := scenarios.Outcome{Step: 3, Ready: f.now(), WasSent: true, Answered: true}
				select {
				case <-time.After(f.takes):
				case <-f.abort:
					o.Kind, o.Cause = scenarios.Error, scenarios.Unfinished
				}
				o.End = f.now()
				results <- ended{a, o}
			})
		}
		all.Wait()
		close(results)
	}()
	for r := range results {
		record(r.a, &r.o)
	}
	return true
}

func TestEngine(t *testing.T) {
	suite.Needs(t, suite.In("docker"))
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		run := r.run(t, `{executor: spike, base: 10/s, peak: 100/s, before: 1s, hold: 1s, after: 2s}`)
		run.Warmup = time.Second
		r.t0 = time.Now().Add(2 * time.Second)
		f := &tool{now: r.now, takes: 30 * ms}
		run.Engine = f
		stats := r.do(t, run)
		list := r.outcomes(3)
		if len(list) != 140 || len(r.outcomes(scenarios.IterationStep)) != 140 || f.early > 0 || run.InFlight() != 0 {
			t.Fatalf("%d requests, %d early, %d in flight", len(list), f.early, run.InFlight())
		}
		for i, o := range list[10:] {
			if want := run.Plan.Rate.Inverse(float64(i)); o.Intended != want || o.Response() != 30*ms || o.Load != run.Index {
				t.Fatalf("request %d: %+v, want it at %v", i, o, want)
			}
		}
		if a := f.seen[0]; a.N != -1 || a.Intended != -time.Second || a.Deadline != -time.Second+run.Timeout {
			t.Errorf("the first is %+v", a)
		}
		if stats.End != 4*time.Second || !stats.Full || stats.PeakFlight != 4 {
			t.Errorf("%+v", stats)
		}
	})
}

// Requests in flight at the end of the grace are cut off, and counted.
func TestEngine_Grace(t *testing.T) {
	suite.Needs(t, suite.In("docker"))
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		run := r.run(t, `{executor: constant-arrival-rate, rate: 10/s, duration: 1s}`)
		f := &tool{now: r.now, takes: time.Hour, abort: r.abort}
		run.Engine, run.Grace = f, 2*time.Second
		r.do(t, run)
		if k := r.kinds(3); k[scenarios.Error] != 10 || r.now() != 3*time.Second {
			t.Errorf("%v, over at %v", k, r.now())
		}
	})
}

// A cancelled run takes no further arrivals.
func TestEngine_Cancelled(t *testing.T) {
	suite.Needs(t, suite.In("docker"))
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		run := r.run(t, `{executor: constant-arrival-rate, rate: 10/s, duration: 1h}`)
		run.Engine = &tool{now: r.now, takes: time.Hour, abort: r.abort}
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			time.Sleep(3050 * ms) // fake clock
			cancel()
		}()
		stats, err := run.Go(ctx)
		if k := r.kinds(3); err != nil || k[scenarios.Error] != 21 || stats.End > 2100*ms {
			t.Errorf("%v, %+v, %v", k, stats, err)
		}
	})
}

// Flows are taken in turn, separately for the warm-up.
func TestInTurn(t *testing.T) {
	for n, want := range map[int64]int{0: 0, 1: 1, 4: 1, -1: 0, -2: 1, -4: 0} {
		if got := turn(n, 3); got != want {
			t.Errorf("turn(%d, 3) = %d, want %d", n, got, want)
		}
	}
	bubble(t, func(t *testing.T) {
		r := newFakeTarget()
		run := r.run(t, `{executor: constant-arrival-rate, rate: 10/s, duration: 1s}`)
		run.InTurn, run.Flows = true, []Flow{
			{Steps: []Step{get}}, {Steps: []Step{{Call: call("b"), Index: 1}}}, {Steps: []Step{{Call: call("c"), Index: 2}}},
		}
		r.do(t, run)
		for step, want := range []int{4, 3, 3} {
			for i, o := range r.outcomes(int32(step)) {
				if o.Intended != time.Duration(3*i+step)*100*ms {
					t.Errorf("step %d at %v", step, o.Intended)
				}
			}
			if got := len(r.outcomes(int32(step))); got != want {
				t.Errorf("step %d: %d, want %d", step, got, want)
			}
		}
	})
}
