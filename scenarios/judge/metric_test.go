package judge_test

import (
	"math"
	"slices"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// TestMetric_Toy adds a metric with one row: its objectives are parsed, measured, given an interval
// and judged.
func TestMetric_Toy(t *testing.T) {
	table := append(slo.Metrics(), slo.Row{
		Name: "skips", Unit: slo.ShareOf, Bare: true, Written: []string{"skips"},
		Meaning: "The share of requests that were skipped.",
		Count:   func(c slo.Counts) (bad, n int64) { return c.Skipped, c.Offered() },
	})
	for _, c := range []struct {
		text string
		want scenarios.Verdict
	}{{"skips < 2%", scenarios.Pass}, {"skips < 0.9%", scenarios.Fail}, {"skips < 0.01%", scenarios.Fail}} {
		o, err := table.ParseObjective(c.text)
		if err != nil {
			t.Fatal(err)
		}
		g := newFixture(t, oneStep, o)
		g.play(slices.Concat(perSecond(98, 0, 20*sec, ms, okay), perSecond(1, 0, 20*sec, ms, failure),
			perSecond(1, 0, 20*sec, 0, skipped)))
		r := g.finish(judge.Case{SLO: []slo.Objective{o}}, 20*sec).Objectives[0]
		if r.Verdict != c.want || math.Abs(float64(r.Measured)-20./float64(r.Count)) > 1e-9 || !r.Low.Known() {
			t.Errorf("%s: %s, measured %v of %d, from %v to %v: %s", c.text, r.Verdict, r.Measured, r.Count, r.Low, r.High,
				r.Note)
		}
	}
	if _, err := slo.ParseObjective("skips < 2%"); err == nil {
		t.Error("a metric without a row was read")
	}
}

// TestMetric_ToyOfEachFamily adds one row for each family of metrics, and judges an objective on it end
// to end: parsed, measured over played requests, a fault or a ledger, and judged.
func TestMetric_ToyOfEachFamily(t *testing.T) {
	for _, c := range []struct {
		row      slo.Row
		passes   string
		fails    string
		measured float64
	}{
		{slo.Row{
			Name: "good", Unit: slo.PerSecond, Better: slo.HigherIsBetter, Meaning: "Good answers a second.",
			Rate: func(c slo.Counts) (float64, int64) { return float64(c.OK) / c.Span.Seconds(), c.OK },
		}, "good > 90/s", "good > 96/s", 95},
		{slo.Row{
			Name: "range", Unit: slo.Seconds, Meaning: "The longest response time of good answers less the median.",
			Times: func(_ slo.Metric, t slo.Times) float64 { return t.Most - t.At(.5) },
		}, "range < 50ms", "range < 1ms", .04},
		{slo.Row{
			Name: "gap", Unit: slo.Seconds, Late: true, Meaning: "The longest time without a good answer, in whole slices.",
			Spans: func(_ slo.Metric, p slo.Spans) (v float64, n int64) {
				since := p.From
				for _, s := range p.Slices {
					if s.Good > 0 {
						since = s.End
					}
					v, n = max(v, (s.End-since).Seconds()), n+s.Offered
				}
				return v, n
			},
		}, "gap < 6s", "gap < 4s", 5},
		{slo.Row{
			Name: "worst", Unit: slo.Seconds, Needs: slo.NeedsFault, Late: true,
			Meaning: "The time from the first bad request of a fault to recovery.",
			Effect:  func(e slo.Effect) slo.Value { return slo.Value{V: e.Recovered.At - e.Onset.At} },
		}, "worst < 6s after f", "worst < 4s after f", 5},
		{slo.Row{
			Name: "dropped", Unit: slo.ShareOf, Needs: slo.NeedsLedger, Late: true,
			Meaning: "The share of acknowledged writes that were lost.",
			Writes: func(w slo.Writes) (low, high float64) {
				n := float64(w.Acknowledged)
				return float64(w.Lost) / n, float64(w.Lost+w.MayBeLost) / n
			},
		}, "dropped < 2%", "dropped < 0.5%", .01},
	} {
		c.row.Bare, c.row.Written = true, []string{c.row.Name}
		table := append(slo.Metrics(), c.row)
		var list []slo.Objective
		for _, text := range []string{c.passes, c.fails} {
			o, err := table.ParseObjective(text)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, o)
		}
		all := slices.Concat(perSecond(100, 0, 40*sec, 10*ms, okay), perSecond(1, 60*sec, 100*sec, 50*ms, okay),
			perSecond(100, 45*sec, 100*sec, 10*ms, okay))
		all = slices.Concat(all, perSecond(100, 40*sec, 45*sec, 10*ms, failure))
		ledger := &result.LedgerRecord{Read: true, Acknowledged: 1000, Held: 990, Lost: 10}
		f := drill(t, list, judge.Case{Ledgers: []*result.LedgerRecord{ledger}}, all, injection{"f", "f", 40 * sec, 46 * sec})
		for i, want := range []scenarios.Verdict{scenarios.Pass, scenarios.Fail} {
			r := f.Objectives[i]
			if r.Verdict != want || math.Abs(float64(r.Measured)-c.measured) > .02*c.measured {
				t.Errorf("%s: %s, measured %v, want %s and %v: %s", r.Text, r.Verdict, r.Measured, want, c.measured, r.Note)
			}
		}
	}
}
