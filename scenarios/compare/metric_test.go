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
	if err != nil || rowOf(c.Rows) != nil || !slices.ContainsFunc(c.Left, func(s string) bool { return strings.HasPrefix(s, "threads: has no value by block") }) {
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
