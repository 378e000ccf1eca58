package chart

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// Resilience draws the share of requests with a good answer, and the area lost. It returns nil if no request was
// offered.
func (c *Plotter) Resilience(r *result.Result) *Chart {
	line := series{
		name: "good of offered", class: "ok", unit: inShare, low: true,
		values: column(c.points, func(p *point) float64 {
			if p.offered == 0 {
				return math.NaN()
			}
			return float64(p.ok) / float64(p.offered)
		}),
	}
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
			d := p.t + p.d - math.Max(0, p.t) // the time before 0 is warm-up
			lost, span = lost+d*(1-v), span+d
		}
	}
	s := Scale{Hi: 1}
	for _, lo := range []float64{.5, .9, .99} {
		if least > lo {
			s.Lo = lo
		}
	}
	about := "Requests that were answered rightly, as a share of those that were asked for."
	if lost > 0 {
		about += fmt.Sprintf(" The dark area above the line is what was not served: over the run as much as %s of no "+
			"service at all, %s of its time.",
			words.Seconds(result.Num(lost)), words.Percent(lost/span))
	} else {
		about += " Every request was answered rightly."
	}
	if s.Lo > 0 {
		about += " The axis begins at " + words.Percent(s.Lo) + "."
	}
	aim, asked := math.NaN(), "" // the bound of an objective, and its text
	for i := range r.Objectives {
		o := &r.Objectives[i]
		if b, ok := words.BudgetOf(o); ok && o.Phase.Kind == slo.RunPhase && b.Step == "*" && b.Load == "*" &&
			1-b.Allowed >= s.Lo {
			aim, asked = 1-b.Allowed, " The dashed line is the objective "+words.Clip(b.Text, 60)+"."
			break // one objective is enough
		}
	}
	ch := c.make(Chart{ID: "good", Title: "Share of good requests", About: about + asked, Alone: true}, s, []series{line})
	ch.Behind = template.HTML(`<path class="lost" d="`+over(c.at, line.values, s)+`"/>`) + ch.Behind
	if !math.IsNaN(aim) {
		ch.Plot += hline("limit", s.At(aim))
	}
	return ch
}

// over closes a trace to an area that reaches the upper edge.
func over(at []span, values []float64, s Scale) string {
	return strings.ReplaceAll(under(at, values, s), fmt.Sprintf("V%dH", PlotHeight), "V0H")
}
