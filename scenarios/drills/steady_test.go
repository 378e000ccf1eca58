package drills_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/drills"
	"brunt/scenarios/plan/plantest"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// TestReduce: a probe has the loads at their mean rates for three seconds, and nothing that breaks or judges.
func TestReduce(t *testing.T) {
	p, err := plantest.CompileText(`
version: 1
target: {url: "http://127.0.0.1:9"}
warmup: {for: 5s}
load:
  even: {executor: constant-arrival-rate, rate: 90/s, duration: 90s, flow: [{get: /}]}
  ramp: {executor: ramping-arrival-rate, start: 10s, start_rate: 0/s, stages: [{rate: 100/s, duration: 60s}], flow: [{get: /ramp}]}
  users: {executor: constant-vus, vus: 300, duration: 90s, flow: [{get: /users}, {think: 1s}]}
  rare: {executor: constant-arrival-rate, rate: 1/m, duration: 90s, flow: [{get: /rare}]}
chaos: {slow: {at: 20s, for: 20s, network.latency: {to: target, delay: 40ms}}}
slo: [errors < 1%]
`)
	if err != nil {
		t.Fatal(plantest.Explained(err))
	}
	one, err := drills.SteadyPlan(p, drills.SteadyLasts)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{90, 50, 20, 2} {
		if lp := &one.Loads[i]; lp.Schedule.Closed() || lp.Schedule.Rate.At(time.Second) != want ||
			lp.Schedule.Start() != 0 || lp.Schedule.End() != 3*time.Second {
			t.Errorf("load %s: %+v, want %g/s", lp.Name, lp.Schedule, want)
		}
	}
	if len(one.Faults)+len(one.Scenario.SLO) != 0 || one.Takes() != 3*time.Second {
		t.Errorf("%d faults, %d objectives, %s", len(one.Faults), len(one.Scenario.SLO), one.Takes())
	}
	if len(p.Faults) != 1 || len(p.Scenario.SLO) != 1 || p.Loads[0].Schedule.End() != 90*time.Second {
		t.Error("the plan itself changed")
	}
	if !drills.HasSteadyState(p) {
		t.Error("a system that runs already goes on between drills")
	}
	demo, err := plantest.CompileText("version: 1\ntarget: {stack: demo}\nload: {a: {executor: constant-vus, vus: 1, " +
		"duration: 1s, flow: [{get: /}]}}\n")
	if err != nil || drills.HasSteadyState(demo) {
		t.Errorf("brunt starts the built-in system for each drill; %v", err)
	}
}

// stateOf is the state of a probe of 300 requests of one step.
func stateOf(bad int64, p50, p90 float64) drills.SteadyState {
	cell := func(load, step, outcome string, n int64) result.Cell {
		c := result.Cell{Phase: slo.ParsePhase("run"), Load: load, Step: step, Outcome: outcome, Count: n}
		c.Response.P50, c.Response.P90 = result.Num(p50), result.Num(p90)
		return c
	}
	return drills.SteadyStateOf(&result.Result{Cells: []result.Cell{
		cell("*", "*", "*", 900), cell("a", "iteration", "*", 300), cell("a", "*", "*", 300),
		cell("a", "read", "*", 300), cell("a", "read", scenarios.OK.String(), 300-bad), cell("a", "read", "error", bad),
	}})
}

// TestState_Differs: what is as before, and what is not, at both sides of each limit.
func TestState_Differs(t *testing.T) {
	calm, failing := stateOf(0, .01, .05), stateOf(30, .01, .05)
	for name, c := range map[string]struct {
		before, now drills.SteadyState
		want        string // in what differs; empty: nothing does
	}{
		"the same":              {calm, calm, ""},
		"1 % fail":              {calm, stateOf(3, .01, .05), ""},
		"more fail":             {calm, stateOf(4, .01, .05), "1.33% of read fail, and 0% before"},
		"it failed before":      {failing, stateOf(60, .01, .05), ""},
		"twice what failed":     {failing, stateOf(61, .01, .05), "20.3% of read fail, and 10% before"},
		"20 ms later":           {calm, stateOf(0, .0299, .05), ""},
		"the median is later":   {calm, stateOf(0, .031, .05), "p50 of read is 31ms, and 10ms before"},
		"the slowest are later": {calm, stateOf(0, .01, .101), "p90 of read is 101ms, and 50ms before"},
		"better than before":    {stateOf(9, .1, .5), calm, ""},
		"dead":                  {calm, stateOf(300, 0, 0), "all of 300 requests failed"},
		"not ready": {
			calm, drills.SteadyStateOf(&result.Result{Reason: "the target was not ready"}),
			"the target was not ready",
		},
		"a step without requests": {
			calm,
			drills.SteadyState{Steps: map[string]drills.SteadyAnswers{"a: write": {All: 9}}},
			"no request of read was sent",
		},
	} {
		if got := c.now.Differs(c.before); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestWait: a system that stays broken for ten seconds is waited for, and one that stays broken for ever until time is
// up.
func TestWait(t *testing.T) {
	before, broken := stateOf(0, .01, .05), stateOf(300, 0, 0)
	for name, c := range map[string]struct {
		heals, within, interrupted time.Duration // interrupted: 0 is never
		different                  string
		took                       time.Duration // a probe takes 3 s, and comes a second after the last
	}{
		"steady at once":     {0, time.Minute, 0, "", 3 * time.Second},
		"broken for a while": {10 * time.Second, time.Minute, 0, "", 15 * time.Second},
		"broken for ever":    {time.Hour, time.Minute, 0, "all of 300 requests failed", 59 * time.Second},
		"one probe at least": {time.Hour, time.Millisecond, 0, "all of 300 requests failed", 3 * time.Second},
		"interrupted":        {time.Hour, time.Minute, 5 * time.Second, "all of 300 requests failed", 5 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, began, reports := t.Context(), time.Now(), 0
			if c.interrupted > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, c.interrupted)
				defer cancel()
			}
			different, err := drills.WaitSteady(ctx, before, c.within, func(ctx context.Context) (drills.SteadyState, error) {
				found := before
				if time.Since(began) < c.heals {
					found = broken
				}
				select {
				case <-time.After(3 * time.Second):
				case <-ctx.Done():
				}
				return found, nil
			}, func(different string) {
				if reports++; !strings.Contains(different, "300 requests failed") {
					t.Errorf("%s: reported %q", name, different)
				}
			})
			if took := time.Since(began); err != nil || different != c.different || took != c.took ||
				(reports > 0) != (took > 3*time.Second || different != "") {
				t.Errorf("%s: %q after %s, reported %d times, %v", name, different, took, reports, err)
			}
		})
	}
}
