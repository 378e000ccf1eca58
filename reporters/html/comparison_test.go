package html

import (
	"fmt"
	"strings"
	"testing"

	"brunt/reporters/reporterstest"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

func TestHTML_Comparison(t *testing.T) {
	p := &pageView{}
	p.comparison(reporterstest.Results()["minute"].Comparison)
	var got []string
	for _, w := range append(p.Comparison.Rows, p.Comparison.More...) {
		got = append(got, strings.Join([]string{w.Mark, w.Word, w.What, w.Base, w.This, w.Worse, w.Between, w.Margin, w.Note},
			" | "))
	}
	want := []string{
		"? | beyond margin | p95 | 40ms | 50ms | +25% | – | 10% | ",
		"✗ | worse | p99 in split | 500ms | 1.2s | +140% | +30% to +290% | 25% | ",
		"✓ | not worse | errors | 2% | 1.9% | −0.1 points | −1 points to +0.4 points | 0.5 points | ",
		"? | can't tell | rate of read post of load browse | 100/s | – | – | – | 5% | 1 of 1 base runs have no end of it",
		"? | within margin | memory of posts[0] | 30 MiB | 31 MiB | +3.3% | – | 25% | ",
		"? | beyond margin | burst of posts[1] | 1 cores | 1.5 cores | +50% | – | 25% | ",
	}
	if len(p.Comparison.Rows) != 3 || strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%d first of\n%s\nwant\n%s", len(p.Comparison.Rows), strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if p.Comparison.Base != "1 earlier run: results/monday" ||
		fmt.Sprint(p.Comparison.Mismatches) != "[the scenarios differ.]" {
		t.Errorf("%+v", p.Comparison)
	}
}

// TestHTML_ComparisonFromZero: a change from or to 0 has no ratio, and its row names both values; a rate of 200 times
// as much is no "over 100×" worse.
func TestHTML_ComparisonFromZero(t *testing.T) {
	v := changeRow(&result.Change{
		Phase: slo.ParsePhase("run"), Load: "*", Step: "*", Metric: "p50", Unit: result.UnitSeconds, Base: 0, This: .012,
		Worse: result.NaN,
		Low:   result.NaN, High: result.NaN,
		Margin: .1, Note: "from 0s to 12ms",
	})
	if v.Base != "0s" || v.This != "12ms" || v.Worse != "–" || v.Note != "from 0s to 12ms" {
		t.Errorf("%+v", v)
	}
	for n, want := range map[result.Num]string{-199: "under −100×", 199: "over 100×", .5: "+50%"} {
		if got := worseBy(&result.Change{Metric: "rate", Unit: result.UnitPerSecond}, n); got != want {
			t.Errorf("%v is %q, want %q", n, got, want)
		}
	}
}
