package compare

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"brunt/scenarios"
)

// TestTrial runs gates with histories that earlier gates made: of means of three runs at first, then
// of as many as each needed, without those that failed. It compares how often an unchanged run
// fails, and how often it has no verdict, with a gate of one run.
func TestTrial(t *testing.T) {
	all, some := 1000, 250 // trials: of false alarms, and of detections
	if testing.Short() {
		all, some = 30, 15
	}
	const confirm, grown = 2, 4
	small := Options{Margins: Margins{}, Metrics: []string{"p95"}} // without a margin that hides false alarms
	must(t, small.Margins.ParseMargin("0.01%"))
	pass := func(trials int, o Options, runs int, spread, days, worse float64) (red, open, passed, made float64) {
		for i := range trials {
			w := &world{r: rand.New(rand.NewPCG(17, uint64(i))), spread: spread}
			several := func(n int, worse float64) (out []*Record, err error) {
				for range n {
					out = append(out, w.record(worse))
				}
				return out, nil
			}
			var history []*Record
			decide := func(worse float64) (*Comparison, []*Record) {
				w.day = w.r.NormFloat64() * days
				trial := &Trial{History: Measure(history), Runs: runs, Confirm: confirm, Make: func(n int) ([]*Record, error) { return several(n, worse) }}
				first, _ := several(1, worse)
				c, made, err := trial.Decide(first, o)
				must(t, err)
				return c, made
			}
			for range LeastHistory {
				w.day = w.r.NormFloat64() * days
				made, _ := several(runs, 0)
				history = append(history, Mean(made))
			}
			for range grown {
				c, made := decide(0)
				rec := Mean(made)
				rec.Red = c.Verdict == scenarios.Regression
				history = append(history, rec)
			}
			c, runs := decide(worse)
			made += float64(len(runs)) / float64(trials)
			switch c.Verdict {
			case scenarios.Regression:
				red += 1 / float64(trials)
			case scenarios.Inconclusive:
				open += 1 / float64(trials)
			default:
				passed += 1 / float64(trials)
			}
		}
		t.Logf("runs at most %d, spread %.2f, days %.2f, worse by %2.0f %%: fail %5.1f %%, inconclusive %5.1f %%, pass %5.1f %%, %.1f runs",
			runs, spread, days, 100*worse, 100*red, 100*open, 100*passed, made)
		return red, open, passed, made
	}
	two := 2 * math.Sqrt(DefaultAlpha*(1-DefaultAlpha)/float64(all))
	for _, days := range []float64{0, .02} {
		if red, _, _, _ := pass(all, small, 3, .03, days, 0); red > DefaultAlpha+two {
			t.Errorf("days %.2f: %.1f %% false alarms over all looks", days, 100*red)
		}
	}
	_, once, _, _ := pass(some, Options{}, 1, .05, .02, 0)
	red, open, _, _ := pass(all, Options{}, 3, .05, .02, 0)
	if red > DefaultAlpha+two || open > .5 || open > once/2 {
		t.Errorf("%.1f %% false alarms, %.1f %% inconclusive, with one run %.1f %%; want half of it at most", 100*red, 100*open, 100*once)
	}
	if seen, _, _, _ := pass(some, Options{}, 3, .05, .02, .2); seen < .8 {
		t.Errorf("a fifth slower is seen in %.1f %%", 100*seen)
	}
	// A run that is worse by exactly the margin passes one check in 5 of 100 cases.
	if _, _, passed, _ := pass(some, Options{}, 3, .05, .02, .1); passed > .13 {
		t.Errorf("what is worse by the margin passes in %.1f %%", 100*passed)
	}
}

// TestTrial_Ends: the answer so far is returned where no further run can be made.
func TestTrial_Ends(t *testing.T) {
	w := &world{r: rand.New(rand.NewPCG(1, 1)), spread: .04}
	var history []*Record
	for range LeastHistory {
		history = append(history, w.record(0))
	}
	broken := errors.New("broken")
	for _, tt := range []struct {
		name  string
		worse float64
		want  scenarios.Verdict
	}{{"to tell", .08, scenarios.Inconclusive}, {"to confirm", .6, scenarios.Regression}} {
		t.Run(tt.name, func(t *testing.T) {
			trial := &Trial{History: history, Runs: 3, Confirm: 2, Make: func(int) ([]*Record, error) { return []*Record{w.record(tt.worse)}, broken }}
			c, made, err := trial.Decide([]*Record{w.record(tt.worse)}, Options{})
			if !errors.Is(err, broken) || len(made) != 2 || c == nil || c.Verdict != tt.want {
				t.Errorf("%d runs, %v, %+v", len(made), err, c)
			}
		})
	}
}
