package effect

import (
	"math/rand/v2"
	"testing"

	"brunt/scenarios/result"
	"brunt/scenarios/suite"
)

// TestUnsteady: bad before the injection means two of its last three windows, or one beyond doubt,
// or a baseline that is bad as a whole. Windows are those of TestAsk: 19 of 1000 is just bad, 29
// just beyond doubt.
func TestUnsteady(t *testing.T) {
	for _, c := range []struct {
		name string
		q    Question
		want bool
	}{
		{"nothing", scene(100, nil), false},
		{"under the limit all the time", scene(100, from(0, 30, 9)), false},
		{"the last three", scene(100, from(27, 30, 200)), true},
		{"the last two, just bad", scene(100, from(28, 30, 19)), true},
		{"the last two, just not bad", scene(100, from(28, 30, 18)), false},
		{"the last but one and the one before", scene(100, from(27, 29, 19)), true},
		{"the two before the last two", scene(100, from(26, 28, 19)), false},
		{"the last alone", scene(100, from(29, 30, 28)), false},
		{"the last alone, beyond doubt", scene(100, from(29, 30, 29)), true},
		{"for ten seconds", scene(100, from(20, 30, 50)), true},
		{"for twenty", scene(100, from(10, 30, 50)), true},
		{"all the time", scene(100, from(0, 30, 20)), true},
		{"long before, for twelve seconds", scene(100, from(3, 15, 200)), true},
		// clusters of 38
		{"long before, for two", scene(100, from(10, 12, 19)), false},
		// clusters of 19
		{
			"two windows with one between", scene(100, func(i int) int64 { return from(27, 28, 19)(i) + from(29, 30, 19)(i) }),
			false,
		},
		{"errors in clusters", scene(100, func(i int) int64 { return map[bool]int64{true: 20}[i%6 == 5] }), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := Ask(c.q)
			if a.BadBefore != c.want || a.StuckBefore {
				t.Errorf("bad before: %t (%s)", a.BadBefore, a.Notes.Phrase(nil))
			}
			if c.want && (a.Impact != result.UnknownYet || len(a.Notes) == 0 || a.OnsetAt.Known() || a.RecoveredAt.Known()) {
				t.Errorf("%s from %v to %v: %q", a.Impact, a.OnsetAt, a.RecoveredAt, a.Notes.Phrase(nil))
			}
		})
	}
	q := scene(100, nil)
	for i := 27; i < 30; i++ {
		q.Slices[i].Ended, q.Baseline[i].Ended = 0, 0
	}
	if a := Ask(q); !a.BadBefore || !a.StuckBefore {
		t.Errorf("stuck before the injection: %t, %t", a.BadBefore, a.StuckBefore)
	}
}

// TestUnsteady_Wide: where windows span seconds, the last of them end at the
// injection.
func TestUnsteady_Wide(t *testing.T) {
	q := scene(100, from(20, 30, 5))
	for _, list := range [][]Slice{q.Slices, q.Baseline} {
		for i := range list {
			list[i].N, list[i].Offered = 100, 100
		}
	}
	if a := Ask(q); !a.BadBefore {
		t.Errorf("5 %% for the last two windows of 5 s: %s", a.Impact)
	}
}

// TestSimulation_Unsteady: an outage that lasts until the injection, from three windows before it
// on, is distinguished from the effect of the fault in 95 % of runs from 100/s on: 20 % of errors, and
// 5 % at 1000/s. TestSimulation_FaultFree tests that steady runs are not taken for unsteady. Other
// cases are logged.
func TestSimulation_Unsteady(t *testing.T) {
	suite.Needs(t, suite.In("simulation"))
	suite.Sequential(t)
	trials, mine := suite.Trials(500), suite.OneIn(6)
	for _, rate := range []float64{10, 50, 100, 1000} {
		for _, p := range []float64{.05, .2, 1} {
			for _, windows := range []float64{1, 2, 3, 5} {
				if !mine() {
					continue
				}
				w := world120(rate, 1)
				if rate < 50 {
					w = world120(rate, 6)
				}
				width := max(1, 5/.01/rate)
				w.end = w.injected // the rest is not needed
				w.share = func(w *world, at float64) float64 {
					if at >= w.injected.Seconds()-windows*width {
						return p
					}
					return .002
				}
				r := rand.New(rand.NewPCG(3, 4))
				seen := 0
				for range trials {
					if Ask(w.question(r)).BadBefore {
						seen++
					}
				}
				share := float64(seen) / float64(trials)
				t.Logf("%4g/s, %3.0f %% for the last %g windows of %g s: seen in %.1f %%", rate, 100*p, windows, width, 100*share)
				if windows >= 3 && (rate >= 100 && p >= .2 || rate >= 1000) && share < .95 {
					t.Errorf("seen in %.1f %%", 100*share)
				}
			}
		}
	}
}
