package chart

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

// curve is the distribution of response times in one phase. Failed requests count as slower than any answer, so the
// curve ends at the share of good requests.
type curve struct {
	phase slo.Phase
	class string
	n     int64     // requests, without shed ones
	good  int64     // good requests among them
	p, v  []float64 // cumulative share and seconds, rising
}

// mostCurves bounds the lines of the chart of percentiles.
const mostCurves = 6

// curves returns the phases to draw: the baseline and the phases with the highest rank.
func curves(r *result.Result) (list []curve, left int, err error) {
	rows := slices.DeleteFunc(words.PhaseTotals(r),
		func(p words.PhaseRow) bool { return p.All.Phase.Kind == slo.WarmupPhase || p.Population() == 0 })
	if len(rows) > mostCurves {
		left = len(rows) - mostCurves
		slices.SortStableFunc(rows, func(a, b words.PhaseRow) int { return cmp.Compare(rank(b), rank(a)) })
		rows = rows[:mostCurves]
	}
	for i, p := range rows {
		c := curve{phase: p.All.Phase, class: fmt.Sprintf("k%d", i), n: p.Population(), good: p.Ok.Count}
		if p.Ok.Hist != 0 {
			h, err := r.Histograms.Get(p.Ok.Hist)
			if err != nil {
				return nil, 0, err
			}
			if h == nil {
				continue
			}
			sum := int64(0)
			for v, n := range h.ForEachBucket {
				sum += n
				c.p, c.v = append(c.p, float64(sum)/float64(c.n)), append(c.v, float64(v)/1e6)
			}
		}
		list = append(list, c)
	}
	return list, left, nil
}

// rank orders phases by interest: the run, the baseline, then the phases with the largest share of failures.
func rank(p words.PhaseRow) float64 {
	switch p.All.Phase.Kind {
	case slo.RunPhase:
		return 3
	case slo.BaselinePhase:
		return 2
	}
	return float64(p.Bad) / float64(max(1, p.All.Count))
}

// nines returns the position of a share on the axis of percentiles: 0.9 at 1, 0.99 at 2.
func nines(p float64) float64 { return -math.Log10(math.Max(1-p, 1e-9)) }

// at returns the response time that a share q of the requests did not exceed; +Inf if too many requests failed.
func (c *curve) at(q float64) float64 {
	if math.Ceil(q*float64(c.n)) > float64(c.good) {
		return math.Inf(1)
	}
	i, _ := slices.BinarySearch(c.p, q)
	if i == len(c.p) {
		return math.NaN()
	}
	return c.v[i]
}

var shares = []float64{.5, .75, .9, .95, .99, .999, .9999, .99999}

// Percentiles draws the curves on the axis of HdrHistogram, with the objectives of each phase
// as a staircase.
func (c *Plotter) Percentiles(r *result.Result) (*Chart, error) {
	if r.Histograms == nil {
		return nil, nil
	}
	list, left, err := curves(r)
	if err != nil {
		return nil, err
	}
	most, all := int64(0), [][]float64{}
	for i := range list {
		most = max(most, list[i].n)
		all = append(all, list[i].v)
	}
	s, ok := Log(append(all, values(Limits(r, "*", "*")))...)
	if !ok {
		return nil, nil
	}
	end := math.Max(2, math.Min(6, math.Log10(float64(most))))
	x := func(p float64) float64 { return math.Min(1, nines(p)/end) }
	ch := &Chart{
		ID: "percentiles", Title: "Response time by percentile",
		About: "Each line is a phase: the share of its requests that were answered rightly within that time. Where a line " +
			"leaves at the top, the rest " +
			"failed. A broad line is what the objectives ask of its phase: the thin one of the same colour has to pass below " +
			"it.",
	}
	if left > 0 {
		ch.About += fmt.Sprintf(" These are %d of %d phases, those with most errors.", len(list), len(list)+left)
	}
	var b strings.Builder
	b.WriteString(string(c.grid(ch, s, inSeconds)))
	ch.Table = &Table{Title: "Percentiles by phase", Head: []string{"phase", "requests"}}
	for i, q := range append([]float64{0}, shares...) {
		if nines(q) > end+.001 {
			break
		}
		ch.X = append(ch.X, Tick{
			Place: c.places.left(x(q)), Label: quantity.FormatShare(q), Minor: i == 1 || i == 2 || i == 4,
		})
		fmt.Fprintf(&b, `<path class="grid" d="M%s 0v500"/>`, units(x(q)*PlotWidth))
		if q > 0 {
			ch.Table.Head = append(ch.Table.Head, quantity.FormatShare(q))
		}
	}
	for i := range list {
		l := &list[i]
		fmt.Fprintf(&b, `<path class="line %s" d="%s"><title>%s</title></path>`, l.class, l.path(x, s),
			template.HTMLEscapeString(words.Clean(l.phase.String())))
		name := words.Clip(words.Clean(l.phase.String()), 60)
		if l.good < l.n {
			name += ", " + words.Share(l.n-l.good, l.n) + " failed"
		}
		ch.Legend = append(ch.Legend, legend{Name: name, Class: l.class, Series: -1})
		row := []string{words.Clean(l.phase.String()), words.Count(l.n)}
		for _, q := range shares {
			if nines(q) <= end+.001 {
				row = append(row, inSeconds.Format(l.at(q)))
			}
		}
		ch.Table.Rows = append(ch.Table.Rows, row)
		ch.Label += syntax.Sentence(name+", median "+inSeconds.Format(l.at(.5))) + " "
	}
	c.name(ch, list, x, s)
	steps, legends := c.limits(r, list, x, s)
	ch.Plot = steps + template.HTML(b.String())
	ch.Legend = append(ch.Legend, legends...)
	return ch, nil
}

// name places the names of phases at the ends of their lines: beside the plot, or above it if the remaining requests
// failed.
func (c *Plotter) name(ch *Chart, list []curve, x func(float64) float64, s Scale) {
	var ends []end
	var tops []top
	for i := range list {
		l := &list[i]
		name := words.Clip(words.Clean(l.phase.String()), 40)
		switch {
		case len(l.p) == 0:
			tops = append(tops, top{Class: l.class, Label: name})
		case l.good < l.n:
			tops = append(tops, top{Class: l.class, Label: name, at: x(l.p[len(l.p)-1])})
		default:
			ends = append(ends, end{name: name, value: l.v[len(l.v)-1]})
		}
	}
	spread(s, ends, apart)
	long := slices.ContainsFunc(ends, func(e end) bool { return len(e.name) > 4 })
	for _, e := range ends {
		ch.Ends = append(ch.Ends, Tick{Place: c.places.top(1 - e.at), Label: e.name, Minor: long})
	}
	ch.Tops, ch.Named = c.rows(tops), len(ends) > 0
}

// path draws a curve. At its end it goes straight up for the failed requests.
func (l *curve) path(x func(float64) float64, s Scale) string {
	p := &pen{}
	for i := range l.p {
		from := 0.0
		if i > 0 {
			from = l.p[i-1]
		}
		px, py := int(math.Round(x(from)*PlotWidth)), int(math.Round((1-s.At(l.v[i]))*PlotHeight))
		switch {
		case i == 0:
			p.move(px, py)
		case px-p.x >= 3 || p.y-py >= 2 || i == len(l.p)-1:
			p.line(px, py)
		}
		if i == len(l.p)-1 {
			p.line(int(math.Round(x(l.p[i])*PlotWidth)), py)
		}
	}
	if l.good < l.n {
		if len(p.b) == 0 {
			p.move(0, PlotHeight)
		}
		p.line(p.x, 0)
	}
	return string(p.b)
}

// limits draws the objectives as steps. A phase's curve must stay below and right of its steps.
func (c *Plotter) limits(r *result.Result, list []curve, x func(float64) float64, s Scale) (template.HTML, []legend) {
	var b strings.Builder
	var out []legend
	all := Limits(r, "*", "*")
	for i := range list {
		steps := slices.DeleteFunc(slices.Clone(all), func(l Limit) bool { return l.phase != list[i].phase })
		if len(steps) == 0 {
			continue
		}
		p := &pen{}
		for j, step := range steps {
			px, py := int(math.Round(x(step.Quantile)*PlotWidth)), int(math.Round((1-s.At(step.Value))*PlotHeight))
			if j == 0 {
				p.move(0, py)
			} else {
				p.line(p.x, py)
			}
			p.line(px, py)
			entry := step.legend()
			entry.Class = "stair " + list[i].class
			out = append(out, entry)
		}
		p.line(p.x, p.y-14)
		fmt.Fprintf(&b, `<path class="line stair %s" d="%s"/>`, list[i].class, p.b)
	}
	return template.HTML(b.String()), out
}

func median(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	return v[len(v)/2]
}
