package reporters

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// resilience draws the share of requests that were answered rightly, and what was lost
// of it; nil where nothing was asked for.
func (c *charts) resilience(r *result.Result) *chart {
	line := series{name: "good of offered", class: "ok", unit: inShare, low: true, values: column(c.points, func(p *point) float64 {
		if p.offered == 0 {
			return math.NaN()
		}
		return float64(p.ok) / float64(p.offered)
	})}
	if !known(line.values) {
		return nil
	}
	least, lost, span := 1.0, 0.0, 0.0
	for i, v := range line.values {
		if math.IsNaN(v) {
			continue
		}
		least = math.Min(least, v)
		if p := &c.points[i]; p.t+p.d > 0 {
			d := p.t + p.d - math.Max(0, p.t) // what is before 0 is warm-up
			lost, span = lost+d*(1-v), span+d
		}
	}
	s := scale{Hi: 1}
	for _, lo := range []float64{.5, .9, .99} {
		if least > lo {
			s.Lo = lo
		}
	}
	about := "Requests that were answered rightly, as a share of those that were asked for."
	if lost > 0 {
		about += fmt.Sprintf(" The dark area above the line is what was lost: over the run as much as %s of no service at all, %s of its time.", seconds(result.Num(lost)), percent(lost/span))
	} else {
		about += " Nothing was lost."
	}
	if s.Lo > 0 {
		about += " The axis begins at " + percent(s.Lo) + "."
	}
	aim, asked := math.NaN(), "" // by an objective
	for i := range r.Objectives {
		o := &r.Objectives[i]
		if b, ok := budgetOf(o); ok && o.Phase == "run" && b.step == "*" && b.load == "*" && 1-b.allowed >= s.Lo {
			aim, asked = 1-b.allowed, " The dashed line is the objective "+clip(b.text, 60)+"."
			break // one is enough to see where it lies
		}
	}
	ch := c.make(chart{ID: "good", Title: "Share of good requests", About: about + asked, Alone: true}, s, []series{line})
	ch.Plot = template.HTML(`<path class="lost" d="`+over(c.at, line.values, s)+`"/>`) + ch.Plot
	if !math.IsNaN(aim) {
		ch.Plot += hline("limit", s.at(aim))
	}
	return ch
}

// budget is how many bad requests an objective allows.
type budget struct {
	text       string
	phase      string
	load, step string  // * is all
	allowed    float64 // share of the requests
}

// budgetOf is the error budget of an objective; ok is false where it sets none.
func budgetOf(o *result.ObjectiveResult) (b budget, ok bool) {
	def, err := slo.ParseObjective(o.Text)
	if err != nil || o.List == "steady" {
		return b, false
	}
	b = budget{text: clean(o.Text), phase: o.Phase, load: "*", step: "*"}
	switch m := def.Metric; {
	case m.Name == "errors" && def.Upper():
		b.allowed = def.Value
	case m.Name == "availability" && (def.Op == ">" || def.Op == ">="):
		b.allowed = 1 - def.Value
	case m.Name == "burn":
		b.allowed = 1 - m.Share
	}
	if def.Load != "" {
		b.load = def.Load
	}
	if def.Step != "" {
		b.step = def.Step
	}
	return b, b.allowed > 1e-12
}

// budgetView is a row of the error budgets: what a phase used of what an objective
// allows.
type budgetView struct {
	Mark, Word, Tone string
	Phase, Objective string
	Requests, Errors string
	Burn, Used       string
	burn             float64
}

// mostBudgets bounds the rows of the error budgets, mostPhasesOf those of one objective: of
// many phases, those that used most.
const (
	mostBudgets  = 60
	mostPhasesOf = 14
)

// budgets says how fast each phase used up the budgets of the objectives on errors: burn =
// errors / (1 - objective).
func (p *page) budgets(r *result.Result) {
	type sum struct{ all, bad int64 }
	counts := map[[3]string]*sum{}
	for _, row := range rows(r, func(c *result.Cell) bool { return c.Count > 0 }) {
		k := [3]string{row.all.Phase, row.all.Load, row.all.Step}
		if counts[k] == nil {
			counts[k] = &sum{}
		}
		counts[k].all += row.all.Count
		counts[k].bad += row.bad
	}
	of := func(phase string, b budget) (c sum) {
		if one := counts[[3]string{phase, b.load, b.step}]; one != nil {
			return *one
		}
		if b.load == "*" { // a step of any load
			for k, one := range counts {
				if k[0] == phase && k[1] != "*" && k[2] == b.step {
					c.all, c.bad = c.all+one.all, c.bad+one.bad
				}
			}
		}
		return c
	}
	left := 0
	for i := range r.Objectives {
		b, ok := budgetOf(&r.Objectives[i])
		if !ok {
			continue
		}
		whole := float64(of("run", b).all) * b.allowed
		var list []budgetView
		for _, ph := range r.Phases {
			if ph.Name == "warmup" || b.phase != "run" && b.phase != ph.Name {
				continue
			}
			c := of(ph.Name, b)
			if c.all == 0 || c.bad == 0 && strings.HasPrefix(ph.Name, "recovery/") {
				continue
			}
			burn := float64(c.bad) / float64(c.all) / b.allowed
			v := budgetView{
				Mark: "✓", Word: "within", Tone: "good", Phase: clean(ph.Name), Objective: b.text, Requests: count(c.all), Errors: share(c.bad, c.all),
				Burn: number(burn) + "×", Used: "–", burn: burn,
			}
			if ph.Name == "run" || ph.Name == "baseline" {
				v.burn = math.Inf(1) // they stay
			}
			if burn > 1 {
				v.Mark, v.Word, v.Tone = "!", "over", "unsure"
				if ph.Name == b.phase {
					v.Mark, v.Tone = "✗", "bad"
				}
			}
			if b.phase == "run" {
				v.Used = percent(float64(c.bad) / whole)
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
		p.BudgetsLeft = plural(int64(left), "row", "rows") + " that used less left out."
	}
}

// costs lists what each fault that did harm has cost.
func costs(r *result.Result) *table {
	t := &table{Head: []string{"fault", "bad requests", "degraded for", "area lost", "first harm", "recovered"}}
	for i := range r.Faults {
		f := &r.Faults[i]
		if f.Impact != result.Impacted && f.Impact != result.NotRecovered {
			continue
		}
		recovered := offset(f.RecoveredAt)
		if f.Impact == result.NotRecovered {
			recovered = "never"
		}
		t.Rows = append(t.Rows, []string{fmt.Sprintf("%d %s", i+1, clean(f.Name)), count(f.Failed), seconds(f.Degraded), seconds(f.Area), offset(f.OnsetAt), recovered})
	}
	if len(t.Rows) == 0 {
		return nil
	}
	return t
}

// over closes a trace to an area that reaches up to the upper edge.
func over(at []extent, values []float64, s scale) string {
	return strings.ReplaceAll(under(at, values, s), fmt.Sprintf("V%dH", plotHeight), "V0H")
}
