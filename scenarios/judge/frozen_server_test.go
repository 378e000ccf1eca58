package judge_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
)

// TestFrozenServer checks that an open load hides no stall: 1000/s for 10 s against a server that is
// frozen for one second. The requests intended in that second wait for its end, so 5 % of all wait
// over half a second and 1 % over 0.9 s. For Poisson arrivals the expected values come from their
// own schedule.
func TestFrozenServer(t *testing.T) {
	const freeze, thaw, end = 4 * sec, 5 * sec, 10 * sec
	r := rand.New(rand.NewPCG(7, 7))
	var poisson []time.Duration
	for at := r.ExpFloat64() / 1000; at < 10; at += r.ExpFloat64() / 1000 {
		poisson = append(poisson, time.Duration(at*1e9))
	}
	var even []time.Duration
	for i := range 10000 {
		even = append(even, time.Duration(i)*ms)
	}
	for _, c := range []struct {
		name     string
		arrivals []time.Duration
	}{{"even", even}, {"poisson", poisson}} {
		t.Run(c.name, func(t *testing.T) {
			o := parseObjectives(t, "p95 < 505ms", "p95 < 495ms", "p99 < 905ms", "p99 < 895ms")
			g := newFixture(t, oneStep, o...)
			var all []scenarios.Outcome
			var waits []time.Duration
			for _, at := range c.arrivals {
				answered := at + 300*time.Microsecond
				if answered > freeze && at < thaw {
					answered = max(answered, thaw+300*time.Microsecond)
				}
				q := request(at, answered-at, okay)
				waits = append(waits, q.Response())
				all = append(all, q, iteration(q))
			}
			g.play(all)
			f := g.finish(judge.Case{SLO: o}, end)
			run := cellOf(t, f, "run", "*", "*")
			n := int64(len(c.arrivals))
			if run.Count != n || f.Offered != n || f.Sent != n {
				t.Errorf("%d counted, %d offered, %d sent; want %d", run.Count, f.Offered, f.Sent, n)
			}
			slices.Sort(waits)
			for q, got := range map[float64]result.Num{.95: run.Response.P95, .99: run.Response.P99, .999: run.Response.P999} {
				want := waits[measure.Rank(q, n)-1].Seconds()
				if math.Abs(float64(got)-want) > .01*want {
					t.Errorf("p%g is %v, want %g", 100*q, got, want)
				}
			}
			if c.name == "poisson" {
				return
			}
			if math.Abs(float64(run.Response.P95)-.5) > .005 || math.Abs(float64(run.Response.P99)-.9) > .005 {
				t.Errorf("p95 %v and p99 %v, want 0.50 and 0.90", run.Response.P95, run.Response.P99)
			}
			for i, want := range []scenarios.Verdict{scenarios.Pass, scenarios.Fail, scenarios.Pass, scenarios.Fail} {
				if f.Objectives[i].Verdict != want {
					t.Errorf("%s: %s with %v", f.Objectives[i].Text, f.Objectives[i].Verdict, f.Objectives[i].Measured)
				}
			}
		})
	}
}
