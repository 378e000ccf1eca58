package compare

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// TestMetrics_Toy checks that a compared metric is one row: it is measured, compared, worded and left out by
// block, and a report gets its unit.
func TestMetrics_Toy(t *testing.T) {
	toy := metric{
		Name: "threads", Unit: slo.Bytes, Margin: .2, ofUnit: true, wholeRun: true, mayLack: true,
		measure: func(_ *metric, s sample, put func(place, value)) {
			for i := range s.Usage {
				u := &s.Usage[i]
				put(ofUnit(u), value{x: float64(len(u.Seconds)) * (1 << 20), n: 1, s: 1})
			}
		},
	}
	with := Options{metrics: append(table{toy}, metrics...)}
	run := func(r Run, mib int) Run {
		r.Usage = []result.UnitUsage{{Unit: "web[0]", Seconds: make([]result.UsageTick, mib)}}
		return r
	}
	w := &world{r: rand.New(rand.NewPCG(1, 1)), spread: .01}
	base, cand := w.turns(6, 0, 0)
	for i := range base {
		base[i], cand[i] = run(base[i], 30), run(cand[i], 60)
	}
	rowOf := func(rows []Row) *Row {
		if i := slices.IndexFunc(rows, func(r Row) bool { return r.Metric == "threads" }); i >= 0 {
			return &rows[i]
		}
		return nil
	}
	c, err := Compare(base, cand, with)
	if err != nil {
		t.Fatal(err)
	}
	if r := rowOf(c.Rows); r == nil || r.Verdict != scenarios.Fail || r.Step != "web[0]" {
		t.Errorf("the row is %+v", r)
	}
	if text := inWords(c); !strings.Contains(text, "threads of web[0]") || !strings.Contains(text, "60.0MiB") {
		t.Errorf("the text is\n%s", text)
	}
	c, err = Switchback(base, cand, true, with)
	if err != nil || rowOf(c.Rows) != nil ||
		!slices.ContainsFunc(c.Left, func(s string) bool { return strings.HasPrefix(s, "threads: has no value by block") }) {
		t.Errorf("%v, by block the rows are %+v, left out is %q", err, c.Rows, c.Left)
	}
	beside, err := Beside(base[:1], cand[0], with)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(beside.Rows, func(r result.Change) bool { return r.Metric == "threads" })
	if i < 0 || beside.Rows[i].Unit != result.UnitBytes || !beside.Rows[i].OfUnit {
		t.Errorf("beside the run it has %+v", beside.Rows)
	}
	if _, err := Compare(base, cand, Options{Metrics: []string{"threads"}}); err == nil {
		t.Error("the table of all metrics has the toy")
	}
}

// TestValues_Recovery: how long a fault made answers slower is unknown without a limit of slow answers, so that it has
// no value. Another fault without an outage recovered at once.
func TestValues_Recovery(t *testing.T) {
	slower := &result.ImpactParts{Slowed: true}
	for _, c := range []struct {
		name    string
		fault   result.FaultRecord
		recover bool // there is a value
	}{
		{"an outage", result.FaultRecord{Impact: result.Impacted, OnsetAt: 20, Recover: 3}, true},
		{"none", result.FaultRecord{Impact: result.NotImpacted, OnsetAt: result.NaN}, true},
		{
			"slower",
			result.FaultRecord{Impact: result.Impacted, OnsetAt: result.NaN, Parts: slower, Slow: result.NaN},
			false,
		},
		{"slower, within a limit", result.FaultRecord{
			Impact: result.Impacted, OnsetAt: result.NaN, Parts: slower,
			Slow: .5,
		}, true},
		{"far slower, within a limit from the baseline", result.FaultRecord{
			Impact: result.Impacted, OnsetAt: result.NaN, Parts: &result.ImpactParts{Slowed: true, P50: .5, P50Before: .001},
			Slow: .6, SlowFrom: "baseline",
		}, false},
		{"slower, within a limit from the baseline", result.FaultRecord{
			Impact: result.Impacted, OnsetAt: result.NaN, Parts: &result.ImpactParts{Slowed: true, P50: .003, P50Before: .001},
			Slow: .025, SlowFrom: "baseline",
		}, true},
		{"slower, not certain", result.FaultRecord{
			Impact: result.UnknownYet, OnsetAt: result.NaN, Slow: result.NaN,
			Parts: &result.ImpactParts{SlowerBecause: result.Notes{{Kind: result.SlowerVaried}}},
		}, false},
		{"lost writes", result.FaultRecord{
			Impact: result.Impacted, OnsetAt: result.NaN,
			Parts: &result.ImpactParts{Lost: 1},
		}, true},
	} {
		c.fault.Name = "f"
		got := metrics.values(&result.Result{Faults: []result.FaultRecord{c.fault}}, beyond)
		if _, has := got[place{slo.ParsePhase("f"), "*", "*"}]["recover"]; has != c.recover {
			t.Errorf("%s: a recovery is %t", c.name, has)
		}
	}
}
