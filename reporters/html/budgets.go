package html

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"brunt/reporters/chart"
	"brunt/reporters/words"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// budgetView is a row of the error budgets: the part of an objective's error budget that a phase used.
type budgetView struct {
	Mark, Word, Tone string
	Phase, Objective string
	Requests, Errors string
	Burn, Used       string
	burn             float64
}

// mostBudgets bounds the rows of the error budgets; mostPhasesOf bounds the rows of one objective, to the phases that
// used most.
const (
	mostBudgets  = 60
	mostPhasesOf = 14
)

// budgets shows how fast each phase used up the budgets of the objectives on errors: burn =
// errors / (1 - objective).
func (p *pageView) budgets(r *result.Result) {
	type sum struct{ all, bad int64 }
	type place struct {
		phase      slo.Phase
		load, step string
	}
	counts := map[place]*sum{}
	for _, row := range words.PhaseRows(r, func(c *result.Cell) bool { return c.Count > 0 }) {
		k := place{row.All.Phase, row.All.Load, row.All.Step}
		if counts[k] == nil {
			counts[k] = &sum{}
		}
		counts[k].all += row.All.Count
		counts[k].bad += row.Bad
	}
	of := func(phase slo.Phase, b words.Budget) (c sum) {
		if one := counts[place{phase, b.Load, b.Step}]; one != nil {
			return *one
		}
		if b.Load == "*" { // a step, of all loads
			for k, one := range counts {
				if k.phase == phase && k.load != "*" && k.step == b.Step {
					c.all, c.bad = c.all+one.all, c.bad+one.bad
				}
			}
		}
		return c
	}
	left := 0
	for i := range r.Objectives {
		b, ok := words.BudgetOf(&r.Objectives[i])
		if !ok {
			continue
		}
		whole := float64(of(slo.Phase{Kind: slo.RunPhase}, b).all) * b.Allowed
		var list []budgetView
		for _, ph := range r.Phases {
			if ph.Name.Kind == slo.WarmupPhase || b.Phase.Kind != slo.RunPhase && b.Phase != ph.Name {
				continue
			}
			c := of(ph.Name, b)
			if c.all == 0 || c.bad == 0 && ph.Name.Kind == slo.RecoveryPhase {
				continue
			}
			burn := float64(c.bad) / float64(c.all) / b.Allowed
			v := budgetView{
				Mark: "✓", Word: "within", Tone: "good", Phase: words.Clean(ph.Name.String()), Objective: b.Text,
				Requests: words.Count(c.all), Errors: words.Share(c.bad, c.all),
				Burn: words.Number(burn) + "×", Used: "–", burn: burn,
			}
			if ph.Name.OfRun() {
				v.burn = math.Inf(1) // infinite burn stays infinite
			}
			if burn > 1 {
				v.Mark, v.Word, v.Tone = "!", "over", "unsure"
				if ph.Name == b.Phase {
					v.Mark, v.Tone = "✗", "bad"
				}
			}
			if b.Phase.Kind == slo.RunPhase {
				v.Used = words.Percent(float64(c.bad) / whole)
			}
			list = append(list, v)
		}
		if n := min(mostPhasesOf, mostBudgets-len(p.Budgets)); len(list) > n {
			left += len(list) - n
			slices.SortStableFunc(list, func(a, b budgetView) int { return -cmp.Compare(a.burn, b.burn) })
			list = list[:n]
		}
		p.Budgets = append(p.Budgets, list...)
	}
	if left > 0 {
		p.BudgetsLeft = words.Plural(int64(left), "row", "rows") + " that used less left out."
	}
}

// costs lists the cost of each fault that did harm.
func costs(r *result.Result) *chart.Table {
	t := &chart.Table{
		Title: "What the faults cost",
		Head:  []string{"fault", "bad requests", "bad service for", "as no service at all for", "first harm", "good again"},
	}
	for i := range r.Faults {
		f := &r.Faults[i]
		if f.Impact != result.Impacted && f.Impact != result.NotRecovered {
			continue
		}
		recovered := words.Offset(f.RecoveredAt)
		switch {
		case f.Impact == result.NotRecovered:
			recovered = "never"
		case f.NoOutage():
			recovered = words.Offset(result.NaN)
		}
		t.Rows = append(t.Rows, []string{
			fmt.Sprintf("%d %s", i+1, words.Clean(f.Name)), words.Count(f.Failed), words.Seconds(f.Degraded),
			words.Seconds(f.Area), words.Offset(f.OnsetAt), recovered,
		})
	}
	if len(t.Rows) == 0 {
		return nil
	}
	return t
}
