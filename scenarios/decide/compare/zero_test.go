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

// TestCompare_NoOutage: a fault without an outage recovered in 0s, as the report of its run says, although it counts as
// its resolution in a ratio. It is never worse than an outage, however short that was.
func TestCompare_NoOutage(t *testing.T) {
	at := slo.ParsePhase("cut")
	recovered := func(rs []Run, after ...result.Num) {
		for i := range rs {
			f := result.FaultRecord{Name: "cut", Impact: result.NotImpacted, OnsetAt: result.NaN, Resolution: 1}
			if f.Recover = after[i%len(after)]; f.Recover > 0 {
				f.Impact, f.OnsetAt, f.Resolution = result.Impacted, 20, .01
			}
			rs[i].Faults = []result.FaultRecord{f}
		}
	}
	for _, c := range []struct {
		name              string
		before, then      []result.Num
		base, cand, worse string
		want              scenarios.Verdict
	}{
		{"never", []result.Num{0}, []result.Num{0}, "0s", "0s", "the same", scenarios.Pass},
		{"an outage", []result.Num{0}, []result.Num{3}, "0s", "3s", "3x worse", scenarios.Regression},
		{"no outage any more", []result.Num{3}, []result.Num{0}, "3s", "0s", "67% better", scenarios.Pass},
		{"a short outage", []result.Num{0}, []result.Num{.3}, "0s", "300ms", "unknown", scenarios.Inconclusive},
		{"at times", []result.Num{0, 3}, []result.Num{0, 3}, "1.73s", "1.73s", "the same", scenarios.Pass},
	} {
		w := &world{r: rand.New(rand.NewPCG(3, 4)), spread: 0}
		base, cand := w.turns(12, 0, 0)
		recovered(base, c.before...)
		recovered(cand, c.then...)
		got := compared(t, base, cand, Options{Metrics: []string{"recover"}})
		d := got.Decision().Metrics[0]
		if d.Base != c.base || d.Now != c.cand || d.Change != c.worse || got.Verdict != c.want {
			t.Errorf("%s: %s, %s to %s, %s; want %s, %s to %s, %s", c.name, got.Verdict, d.Base, d.Now, d.Change, c.want,
				c.base, c.cand, c.worse)
		}
		var history []*Record
		for i, r := range base {
			history = append(history, NewRecord(r.Result, Machine{}))
			history[i].Started = history[i].Started.AddDate(0, 0, i)
		}
		trends := Trends(append(history, NewRecord(cand[0].Result, Machine{})), Options{Metrics: []string{"recover"}})
		if first := trends[0].Points[0].Value; first != c.before[0] || trends[0].Phase != at {
			t.Errorf("%s: the trend begins with %v in %s", c.name, first, trends[0].Phase)
		}
		mean := Mean(history[:2]).values()[place{at, "*", "*"}]["recover"]
		if both := c.before[0]+c.before[len(c.before)-1] == 0; mean.zero != both {
			t.Errorf("%s: the mean of two runs without an outage is %+v", c.name, mean)
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
