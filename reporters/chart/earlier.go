package chart

import (
	"html/template"
	"math"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// earlierLine is the corresponding line of the earlier run that this run is compared with; the zero value is no line.
type earlierLine struct {
	name   string
	at     []span
	values []float64
}

// earlierOf returns a line of the earlier run and its values. Charts of a single load or step have none.
func earlierOf(c *Plotter, r *result.Result, name string, of func(*point) float64) (earlierLine, []float64) {
	if r.Comparison == nil || len(r.Comparison.Windows) == 0 || c.load != "" || c.step != "" {
		return earlierLine{}, nil
	}
	list, _ := Points(&result.Result{Windows: r.Comparison.Windows})
	out := earlierLine{name: name + " of " + words.Clip(words.Clean(r.Comparison.Drawn), 40)}
	for i := range list {
		p := &list[i]
		if p.t+p.d <= c.From || p.t >= c.To {
			continue
		}
		v := of(p)
		if math.IsInf(v, 1) {
			v = math.NaN() // a line at the top would hide those of this run
		}
		out.at, out.values = append(out.at, span{math.Max(0, c.Place(p.t)), math.Min(1, c.Place(p.t+p.d))}),
			append(out.values, v)
	}
	return out, out.values
}

func (l earlierLine) draw(s Scale) template.HTML {
	if len(l.values) == 0 {
		return ""
	}
	return template.HTML(`<path class="line earlier" d="` + traceIn(l.at, l.values, s, columns/2) + `"/>`)
}

func (l earlierLine) legend() []legend {
	if len(l.values) == 0 {
		return nil
	}
	return []legend{{Name: l.name, Class: "earlier", Series: -1}}
}
