package compare

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/suite"
)

// TestTrial runs gates with histories that earlier gates made: of means of three runs at first, then
// of as many as each needed, without those that failed. It compares how often an unchanged run
// fails, and how often it has no verdict, with a gate of one run.
func TestTrial(t *testing.T) {
	suite.Sequential(t)
	all, some := suite.Trials(1000), suite.Trials(250) // of false alarms, and of detections
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
				trial := &Trial{
					History: Measure(history), Runs: runs, Confirm: confirm,
					Make: func(n int) ([]*Record, error) { return several(n, worse) },
				}
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
		t.Logf("runs at most %d, spread %.2f, days %.2f, worse by %2.0f %%: fail %5.1f %%, inconclusive %5.1f %%, pass "+
			"%5.1f %%, %.1f runs",
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
	if red > DefaultAlpha+two || open > .5 || open > once+.1 {
		t.Errorf("%.1f %% false alarms, %.1f %% inconclusive, with one run %.1f %%; want no more than that", 100*red,
			100*open, 100*once)
	}
	if seen, _, _, _ := pass(some, Options{}, 3, .05, .02, .2); seen < .8 {
		t.Errorf("a fifth slower is seen in %.1f %%", 100*seen)
	}
	// A run that is worse by exactly the margin passes one check in 5 of 100 cases.
	if _, _, passed, _ := pass(some, Options{}, 3, .05, .02, .1); passed > .13 {
		t.Errorf("what is worse by the margin passes in %.1f %%", 100*passed)
	}
}

// TestTrial_Ends: the answer so far is returned where no further run can be made, and a failure that no fresh run
// confirmed is inconclusive.
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
		says  string
	}{{"to tell", .08, "undecided"}, {"to confirm", .6, "it was ended before new runs confirmed this: p50 is "}} {
		t.Run(tt.name, func(t *testing.T) {
			trial := &Trial{
				History: history, Runs: 3, Confirm: 2,
				Make: func(int) ([]*Record, error) { return []*Record{w.record(tt.worse)}, broken },
			}
			c, made, err := trial.Decide([]*Record{w.record(tt.worse)}, Options{})
			if !errors.Is(err, broken) || len(made) != 2 || c == nil || c.Verdict != scenarios.Inconclusive ||
				!strings.Contains(c.Reason, tt.says) {
				t.Fatalf("%d runs, %v, %+v", len(made), err, c)
			}
			for _, r := range c.Rows {
				if r.Verdict == scenarios.Fail {
					t.Errorf("%s is %s", r.Metric, r.Verdict)
				}
			}
		})
	}
}

// TestTrial_Disturbed: a run on a machine that is noisier than in the history is made again, and never fails a trial.
func TestTrial_Disturbed(t *testing.T) {
	calm, busy, loaded := Noise{Lag: .3e-3, Probe: .1e-3}, Noise{Lag: 9e-3, Probe: .4e-3}, Noise{Lag: 9e-3, Probe: .1e-3}
	for _, tt := range []struct {
		name    string
		first   Noise
		worse   float64
		further []Noise // of runs that follow
		still   float64 // by how much they are worse
		waits   int     // times that it may wait
		want    scenarios.Verdict
		made    int // runs
		marked  int // of those that count, disturbed
	}{
		{"worse on a calm machine", calm, .6, []Noise{calm, calm}, .6, 9, scenarios.Regression, 2, 0},
		{"worse, and not when it is calm", busy, .6, []Noise{busy, calm, calm, calm}, 0, 9, scenarios.Pass, 2, 0},
		{"worse all the time", busy, .6, []Noise{busy, busy, busy, busy}, .6, 3, scenarios.Inconclusive, 3, 1},
		{"no time to wait", busy, .6, nil, .6, 0, scenarios.Inconclusive, 0, 1},
		{"good all the same", busy, -.02, nil, 0, 9, scenarios.Pass, 0, 1},
		{"worse and calm, then disturbed", calm, .6, []Noise{busy, calm, calm}, .6, 9, scenarios.Regression, 3, 0},
		{
			"worse and calm, then disturbed for good", calm, .6,
			[]Noise{calm, busy, busy, busy},
			.6, 2, scenarios.Inconclusive,
			4, 1,
		},
		{"the target's own doing", loaded, .6, []Noise{loaded, loaded, loaded, loaded}, .6, 9, scenarios.Regression, 4, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := &world{r: rand.New(rand.NewPCG(3, 3)), spread: .02}
			record := func(n Noise, worse float64) *Record {
				r := w.record(worse)
				r.Noise = []Noise{n}
				return r
			}
			var history []*Record
			for range 2 * LeastHistory {
				history = append(history, record(calm, 0))
			}
			waits, made := 0, 0
			trial := &Trial{
				History: history, Runs: 3, Confirm: 2,
				Again: func(string) bool { waits++; return waits <= tt.waits },
				Make: func(n int) (out []*Record, err error) {
					for range n {
						if made == len(tt.further) {
							return out, errors.New("no further run")
						}
						out = append(out, record(tt.further[made], tt.still))
						made++
					}
					return out, nil
				},
			}
			c, runs, err := trial.Decide([]*Record{record(tt.first, tt.worse)}, Options{Metrics: []string{"p50"}})
			must(t, err)
			marked := 0
			for _, r := range runs {
				if r.Disturbed != "" {
					marked++
				}
			}
			if c.Verdict != tt.want || made != tt.made || marked != tt.marked ||
				(c.Disturbed != "") != (tt.want == scenarios.Inconclusive) {
				t.Errorf("%s after %d more runs, of which %d are disturbed: %s", c.Verdict, made, marked, c.Reason)
			}
		})
	}
}

// TestMeasure_Disturbed: records of a disturbed machine do not count, until it has been so for [LeastHistory] records.
func TestMeasure_Disturbed(t *testing.T) {
	var all []*Record
	add := func(n int, why string) {
		for range n {
			all = append(all, &Record{Disturbed: why})
		}
	}
	add(10, "")
	add(LeastHistory-1, "lag")
	if n := len(Measure(all)); n != 10 {
		t.Errorf("%d records count, want the 10 before", n)
	}
	add(1, "lag")
	if got := Measure(all); len(got) != LeastHistory || got[0].Disturbed == "" {
		t.Errorf("%d records count, want the newest %d", len(got), LeastHistory)
	}
	add(1, "")
	if n := len(Measure(all)); n != 11 {
		t.Errorf("%d records count, want the 11 of a quiet machine", n)
	}
}
