package judge_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/effect/effecttest"
	"brunt/scenarios/result"
	"brunt/scenarios/suite"
)

// TestSimulation_Recorder simulates requests with individual latencies, some of which are in flight
// at injection and clearing, through the recorder and its file to the verdict.
func TestSimulation_Recorder(t *testing.T) {
	trials := 100
	switch {
	case testing.Short():
		trials = 3
	case !suite.Full():
		trials = 10
	}
	objectives := parseObjectives(t, "recover < 32s after f", "errors < 1% in baseline")
	type scene struct{ injected, cleared, end time.Duration }
	for _, c := range []struct {
		name      string
		rate      float64
		most      int
		share     func(w *scene, at float64) float64
		impact    result.Impact
		recovered float64
		verdict   scenarios.Verdict
	}{
		{"no fault", 100, 5, func(*scene, float64) float64 { return .002 }, result.NotImpacted, 30.37, scenarios.Pass},
		{"20 % until the clearing", 100, 1, func(w *scene, at float64) float64 {
			if at >= w.injected.Seconds() && at < w.cleared.Seconds() {
				return .2
			}
			return .002
		}, result.Impacted, 60.81, scenarios.Pass},
		{"300 ms", 1000, 1, func(w *scene, at float64) float64 {
			if at >= 40.1 && at < 40.4 {
				return 1
			}
			return .002
		}, result.Impacted, 41, scenarios.Pass},
		{"4 % that stay", 100, 1, func(w *scene, at float64) float64 {
			if at >= w.injected.Seconds() {
				return .04
			}
			return .002
		}, result.NotRecovered, math.NaN(), scenarios.Fail},
	} {
		if c.rate > 100 {
			trials = max(2, trials/10)
		}
		right := 0
		r := rand.New(rand.NewPCG(3, 4))
		for range trials {
			w := scene{injected: 30370 * ms, cleared: 60810 * ms, end: 120 * sec}
			g := newFixture(t, oneStep, objectives...)
			m := effecttest.Errors{Most: c.most}
			var all []scenarios.Outcome
			for n := 0; float64(n)/c.rate < w.end.Seconds(); n++ {
				at := float64(n) / c.rate
				kind := okay
				if m.Next(r, c.share(&w, at)) {
					kind = failure
				}
				all = append(all, request(time.Duration(at*1e9), time.Duration(r.ExpFloat64()*float64(50*ms)), kind))
			}
			g.play(all, action{w.injected, func() { g.Inject("f", "f") }}, action{w.cleared, func() { g.Clear(0) }})
			f := g.finish(judge.Case{SLO: objectives}, w.end)
			a := f.Faults[0]
			near := !a.RecoveredAt.Known() || math.Abs(float64(a.RecoveredAt)-c.recovered) <= 1
			if a.Impact == c.impact && near && f.Objectives[0].Verdict == c.verdict &&
				f.Objectives[1].Verdict == scenarios.Pass {
				right++
			}
			_ = g.Close()
		}
		t.Logf("%s: right in %d of %d", c.name, right, trials)
		if float64(right) < .95*float64(trials) {
			t.Errorf("%s: right in %d of %d", c.name, right, trials)
		}
	}
}
