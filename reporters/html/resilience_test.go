package html

import (
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// Burn is errors / (1 - objective), by phase; a phase uses a share of the run's budget.
func TestHTML_Budgets(t *testing.T) {
	r := &result.Result{
		Verdict: scenarios.Fail,
		Phases: []result.Phase{
			{Name: slo.ParsePhase("warmup")},
			{Name: slo.ParsePhase("run")},
			{Name: slo.ParsePhase("baseline")},
			{Name: slo.ParsePhase("cut")},
			{Name: slo.ParsePhase("quiet")},
		},
		Objectives: []result.ObjectiveResult{
			{
				Text: "availability > 99%", Phase: slo.ParsePhase("run"), Metric: "availability", Op: ">", Target: .99,
				Measured: .98,
			},
			{
				Text: "errors < 50% of read in cut", Phase: slo.ParsePhase("cut"), Metric: "errors", Op: "<", Target: .5,
				Measured: .4,
			},
		},
	}
	add := func(phase, load, step string, ok, bad, skipped int64) {
		for outcome, n := range map[string]int64{"*": ok + bad + skipped, "ok": ok, "error": bad, "skipped": skipped} {
			r.Cells = append(r.Cells, result.Cell{
				Phase: slo.ParsePhase(phase), Load: load, Step: step, Outcome: outcome,
				Count: n,
			})
		}
	}
	add("warmup", "*", "*", 0, 100, 0)
	add("run", "*", "*", 9800, 150, 50)
	add("baseline", "*", "*", 5000, 0, 0)
	add("cut", "*", "*", 800, 150, 50)
	add("cut", "a", "read", 300, 100, 0)
	add("cut", "b", "read", 300, 300, 0)
	p := &pageView{}
	p.budgets(r)
	var got []string
	for _, b := range p.Budgets {
		got = append(got, strings.Join([]string{b.Mark, b.Phase, b.Objective, b.Requests, b.Errors, b.Burn, b.Used}, " | "))
	}
	want := []string{
		"✗ | run | availability > 99% | 10\u00a0000 | 2% | 2× | 200%",
		"✓ | baseline | availability > 99% | 5000 | 0% | 0× | 0%",
		"! | cut | availability > 99% | 1000 | 20% | 20× | 200%",
		"✓ | cut | errors < 50% of read in cut | 1000 | 40% | 0.8× | –",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// The area lost is the integral of 1 - good/offered, without warm-up.
func TestHTML_AreaLost(t *testing.T) {
	r := &result.Result{Duration: 10}
	for i := -2; i < 10; i++ {
		w := result.Window{T: result.Num(i), D: 1, Load: "*", Step: "*", Offered: 100, OK: 100}
		switch {
		case i < 0 || i == 4:
			w.OK = 0
		case i == 5:
			w.OK = 75
		case i == 7:
			w.Offered, w.OK = 0, 0
		}
		r.Windows = append(r.Windows, w)
	}
	p, err := newPage(r)
	if err != nil {
		t.Fatal(err)
	}
	if want := "as much as 1.25s of no service at all, 13.9% of its time"; !strings.Contains(p.Resilience.About, want) {
		t.Errorf("%s", p.Resilience.About)
	}
	if p.Resilience.Table.Rows[6][1] != "0%" || p.Resilience.Table.Rows[9][1] != "–" {
		t.Errorf("%v", p.Resilience.Table.Rows)
	}
}

// TestHTML_NothingLost: a page does not say that nothing was lost for want of failed requests, as writes may have been.
func TestHTML_NothingLost(t *testing.T) {
	r := &result.Result{Duration: 2, Ledger: &result.LedgerRecord{Read: true, Acknowledged: 200, Lost: 90, Held: 110}}
	for i := range 2 {
		r.Windows = append(r.Windows, result.Window{T: result.Num(i), D: 1, Load: "*", Step: "*", Offered: 100, OK: 100})
	}
	p, err := newPage(r)
	if err != nil {
		t.Fatal(err)
	}
	if about := p.Resilience.About; strings.Contains(about, "lost") ||
		!strings.Contains(about, "Every request was answered rightly.") {
		t.Errorf("%s", about)
	}
}
