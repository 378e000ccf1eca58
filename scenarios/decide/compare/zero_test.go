package compare

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// TestCompare_Zero: a time that goes from 0 to 12 ms is worse, and one that goes to 0 is not; a rate that goes to 0 is
// worse. Both values are named, in the table, in the reason and in JSON, because there is no ratio.
func TestCompare_Zero(t *testing.T) {
	p50 := func(v result.Num) func(*result.Result) {
		return func(r *result.Result) { r.Cells[0].Response.P50 = v }
	}
	noneGood := func(r *result.Result) {
		r.Cells = append(r.Cells[:1], result.Cell{
			Phase: slo.ParsePhase("run"), Load: "*", Step: "*", Outcome: "error",
			Count: offered,
		})
	}
	leave := func(*result.Result) {}
	for _, c := range []struct {
		name         string
		metric       string
		before, then func(*result.Result)
		want         scenarios.Verdict
		says         string
	}{
		{"a time from 0", "p50", p50(0), p50(.012), scenarios.Regression, "from 0s to 12ms"},
		{"a time to 0", "p50", p50(.012), p50(0), scenarios.Pass, "from 12ms to 0s"},
		{"a time of 0", "p50", p50(0), p50(0), scenarios.Inconclusive, "from 0s to 0s"},
		{"a rate to 0", "rate", leave, noneGood, scenarios.Regression, "from 200/s to 0/s"},
		{"a rate from 0", "rate", noneGood, leave, scenarios.Pass, "from 0/s to 200/s"},
	} {
		w := &world{r: rand.New(rand.NewPCG(3, 4)), spread: 0}
		base, cand := w.turns(10, 0, 0)
		for i := range base {
			c.before(base[i].Result)
			c.then(cand[i].Result)
		}
		got := compared(t, base, cand, Options{Metrics: []string{c.metric}})
		text := inWords(got)
		if got.Verdict != c.want || !strings.Contains(text, c.says) || got.Rows[0].Note != c.says ||
			strings.Contains(text, "100x") {
			t.Errorf("%s: %s, want %s with %q:\n%s", c.name, got.Verdict, c.want, c.says, text)
		}
		raw, err := json.Marshal(got.Rows[0])
		if row := string(raw); err != nil || !strings.Contains(row, `"change":null`) ||
			!strings.Contains(row, `"note":"`+c.says) ||
			strings.Contains(row, `"base":null`) {
			t.Errorf("%s: %s, %v", c.name, raw, err)
		}
		beside, err := Beside(base, cand[0], Options{Metrics: []string{c.metric}})
		if err != nil {
			t.Fatal(err)
		}
		if row := beside.Rows[0]; row.Note != c.says || !row.Base.Known() || !row.This.Known() {
			t.Errorf("%s beside earlier runs: %+v", c.name, row)
		}
	}
}

// TestRow_Bounds: a bound that there is not yet is no change of over 100x.
func TestRow_Bounds(t *testing.T) {
	inf := result.Num(math.Inf(-1))
	r := Row{
		Phase: slo.ParsePhase("run"), Load: "*", Step: "*", Metric: "errors", Low: inf, High: -inf, Smallest: -inf,
		Margin: .005, Change: .01,
		Verdict: scenarios.Inconclusive,
	}
	if s := r.sentence(); strings.Contains(s, "100x") || !strings.Contains(s, "errors: no bounds yet") ||
		!strings.Contains(s, "show no change") {
		t.Error(s)
	}
	rate := Row{Metric: "rate"}
	for v, want := range map[result.Num]string{
		inf: "none", -inf: "none", -199: "over 100x better", .125: "12% worse", -.5: "50% better", 0: "the same",
	} {
		if got := rate.worse(v); got != want {
			t.Errorf("%v is %q, want %q", v, got, want)
		}
	}
}
