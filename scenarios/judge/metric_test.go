package judge

import (
	"math"
	"slices"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/slo"
)

// TestMetric_Toy adds a metric with one row: its objectives are parsed, measured, given an interval
// and judged.
func TestMetric_Toy(t *testing.T) {
	table := append(slo.Metrics(), slo.Row{
		Name: "skips", Unit: slo.ShareOf, Bare: true, Written: []string{"skips"}, Meaning: "The share of requests that were skipped.",
		Count: func(c slo.Counts) (bad, n int64) { return c.Skipped, c.Offered() },
	})
	for _, c := range []struct {
		text string
		want scenarios.Verdict
	}{{"skips < 2%", scenarios.Pass}, {"skips < 0.9%", scenarios.Fail}, {"skips < 0.01%", scenarios.Fail}} {
		o, err := table.ParseObjective(c.text)
		if err != nil {
			t.Fatal(err)
		}
		g := newRig(t, oneStep, o)
		g.play(slices.Concat(perSecond(98, 0, 20*sec, ms, okay), perSecond(1, 0, 20*sec, ms, failure), perSecond(1, 0, 20*sec, 0, skipped)))
		r := g.finish(Case{SLO: []slo.Objective{o}}, 20*sec).Objectives[0]
		if r.Verdict != c.want || math.Abs(float64(r.Measured)-20./float64(r.Count)) > 1e-9 || !r.Low.Known() {
			t.Errorf("%s: %s, measured %v of %d, from %v to %v: %s", c.text, r.Verdict, r.Measured, r.Count, r.Low, r.High, r.Note)
		}
	}
	if _, err := slo.ParseObjective("skips < 2%"); err == nil {
		t.Error("a metric without a row was read")
	}
}
