package chart

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A Limit is an objective on a percentile over all requests of a phase.
type Limit struct {
	Quantile, Value float64 // Value in seconds
	From, To        float64 // the phase, in seconds from t0; NaN: not known
	Text            string
	Brief           string // its metric and bound
	verdict         scenarios.Verdict
	phase           slo.Phase
}

// Limits returns the objectives on percentiles of a load and step, "*" for all, in the order of their percentiles.
func Limits(r *result.Result, load, step string) []Limit {
	var out []Limit
	for i := range r.Objectives {
		o := &r.Objectives[i]
		def, ok := o.Asks()
		if !ok || !def.Metric.Percentile() || def.Metric.Of != "" || !def.Upper() || !(o.Target > 0) {
			continue
		}
		if ofLoad := def.Load == load || def.Load == "" && (load == "*" || def.Step != ""); !ofLoad ||
			cmp.Or(def.Step, "*") != step {
			continue
		}
		l := Limit{
			Quantile: def.Metric.Quantile, Value: float64(o.Target), From: math.NaN(), To: math.NaN(), Text: words.Clean(o.Text),
			Brief:   words.Clean(def.Metric.Text) + " " + words.ObjectiveTarget(o),
			verdict: o.Verdict,
			phase:   o.Phase,
		}
		if k := slices.IndexFunc(r.Phases, func(p result.Phase) bool { return p.Name == o.Phase }); k >= 0 {
			l.From, l.To = float64(r.Phases[k].Start), float64(r.Phases[k].End)
		} else if o.Phase.Kind == slo.RunPhase {
			l.From, l.To = 0, float64(r.Duration)
		}
		out = append(out, l)
	}
	slices.SortStableFunc(out, func(a, b Limit) int { return cmp.Compare(a.Quantile, b.Quantile) })
	return out
}

// mostLimits bounds the objectives that the chart of response times shows.
const mostLimits = 8

// limitsOf returns the objectives that the chart of response times of this plotter shows.
func limitsOf(c *Plotter, r *result.Result) []Limit {
	list := slices.DeleteFunc(Limits(r, cmp.Or(c.load, "*"), cmp.Or(c.step, "*")), func(l Limit) bool {
		return math.IsNaN(l.From) || l.To <= c.From || l.From >= c.To
	})
	return list[:min(len(list), mostLimits)]
}

// limitLines draws objectives over their phases, in the colours of their percentiles.
func (t *Timeline) limitLines(list []Limit, s Scale) template.HTML {
	var b strings.Builder
	for _, l := range list {
		a, z := math.Max(0, t.Place(l.From)), math.Min(1, t.Place(l.To))
		fmt.Fprintf(&b, `<path class="line aim %s" d="M%s %sH%s"/>`, l.class(), units(a*PlotWidth),
			units((1-s.At(l.Value))*PlotHeight), units(z*PlotWidth))
	}
	return template.HTML(b.String())
}

// class is the class of its percentile's line.
func (l *Limit) class() string {
	switch l.Quantile {
	case .5:
		return "p50"
	case .95:
		return "p95"
	case .99:
		return "p99"
	}
	return "most"
}

// legend names an objective with its verdict.
func (l *Limit) legend() legend {
	verdict := "not decided"
	switch l.verdict {
	case scenarios.Pass:
		verdict = "held"
	case scenarios.Fail:
		verdict = "not held"
	}
	return legend{Name: l.Text + ", " + verdict, Class: "aim " + l.class(), Series: -1}
}

// values returns the values of objectives.
func values(list []Limit) []float64 {
	out := make([]float64, len(list))
	for i := range list {
		out[i] = list[i].Value
	}
	return out
}
