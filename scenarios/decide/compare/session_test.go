package compare

import (
	"math"
	"math/rand/v2"
	"testing"

	"brunt/scenarios/suite"
)

// TestPredicted_FalseAlarms: the prediction bound keeps its level where a history mixes sessions of
// one run with means of several, and days differ or do not.
func TestPredicted_FalseAlarms(t *testing.T) {
	suite.Sequential(t)
	const within = .03
	trials := suite.Trials(4000)
	several := func(n, runs int) (out []int) {
		for range n {
			out = append(out, runs)
		}
		return out
	}
	mixed := append(several(8, 3), several(12, 1)...)
	tests := []struct {
		name    string
		history []int // runs of each session
		now     int   // runs
		days    float64
		exact   bool // the level is exact, not only conservative
		asEqual bool // treating them as equal fails too often
	}{
		{name: "one run, history of single ones", history: several(8, 1), now: 1, days: .02, exact: true},
		{name: "one run, history of means", history: several(8, 3), now: 1, days: .02, exact: true, asEqual: true},
		{name: "one run, history of means, days are alike", history: several(8, 3), now: 1, exact: true, asEqual: true},
		{name: "three runs, history of means", history: several(8, 3), now: 3, days: .02, exact: true},
		{name: "three runs, history of single ones", history: several(12, 1), now: 3, days: .02},
		{name: "one run, mixed", history: mixed, now: 1, days: .02, exact: true},
		{name: "three runs, mixed", history: mixed, now: 3, days: .02, exact: true},
		{name: "three runs, mixed, days are alike", history: mixed, now: 3},
		{name: "two runs, mixed, days differ much", history: mixed, now: 2, days: .06, exact: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 7))
			made := func(runs int) session {
				day := r.NormFloat64() * tt.days
				var vs []value
				for range runs {
					vs = append(vs, value{x: math.Exp(day + r.NormFloat64()*within)})
				}
				return metrics.named("p95").sessionOf(vs)
			}
			alarms, asEqual := 0, 0
			for range trials {
				var history, equal []session
				for _, runs := range tt.history {
					s := made(runs)
					history, equal = append(history, s), append(equal, session{mean: s.mean, runs: 1})
				}
				now := made(tt.now)
				if predicted(history, now, 0).low(DefaultAlpha) > 0 {
					alarms++
				}
				if predicted(equal, session{mean: now.mean, runs: 1}, 0).low(DefaultAlpha) > 0 {
					asEqual++
				}
			}
			rate, equal := float64(alarms)/float64(trials), float64(asEqual)/float64(trials)
			three := 3 * math.Sqrt(DefaultAlpha*(1-DefaultAlpha)/float64(trials)) // standard errors, of nine rows
			t.Logf("%.1f %% alarms, taken for alike %.1f %%", 100*rate, 100*equal)
			if rate > DefaultAlpha+three || tt.exact && rate < DefaultAlpha-three {
				t.Errorf("%.1f %% alarms, want 5 ± %.1f %%", 100*rate, 100*three)
			}
			if tt.asEqual && equal < DefaultAlpha+three {
				t.Errorf("taken for alike they alarm in %.1f %%: there is no need for this", 100*equal)
			}
		})
	}
}
