package chart

import (
	"cmp"
	"html/template"
	"math"
	"slices"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// An Aim is the text of an objective beside its line.
type Aim struct {
	Left, Top, Label string
	From, To         string // the phase, for the script
	Below            bool   // the text stands below the line, as there is no room above it
	left, top        float64
}

// A Gap is a stretch of a line that has no value.
type Gap struct{ Left, Width, From, To string }

// Rates draws the requests that were asked for, and which of them were good and which failed.
func (c *Plotter) Rates(r *result.Result) *Chart {
	ended := math.Inf(1) // from then on there are no arrivals, only the ends of iterations
	if r.Going == nil && r.Duration > 0 {
		ended = float64(r.Duration)
	}
	per := func(f func(*point) int64) []float64 {
		return column(c.points, func(p *point) float64 {
			if p.t >= ended {
				return math.NaN()
			}
			return float64(f(p)) / p.d
		})
	}
	bad := func(p *point) int64 { return p.failed + p.skipped }
	offered := series{
		name: "asked for", class: "asked", unit: perSec, values: per(func(p *point) int64 { return p.offered }),
	}
	good := series{
		name: "good", class: "ok", unit: perSec, values: per(func(p *point) int64 { return p.ok }), base: &offered,
	}
	failed := series{name: "failed", class: "lost", unit: perSec, values: per(bad)}
	// failed requests stand on the good ones, up to those that were asked for
	stack := series{name: "good and failed", class: "lost", unit: perSec, values: column(c.points, func(p *point) float64 {
		if bad(p) == 0 || p.t >= ended {
			return math.NaN()
		}
		return float64(p.ok+bad(p)) / p.d
	})}
	s := Linear(offered.values)
	ch := Chart{ID: "rates", Title: "Requests per second", Alone: true}
	c.overTime(&ch)

	var b strings.Builder
	path := func(kind string, l *series, id int, d func([]span, []float64, Scale) string) {
		writePath(&b, c.bare, kind+" "+l.class, id, func() string { return d(c.at, l.values, s) })
	}
	lines := []series{offered, good}
	ids := []int{c.draw(&offered, s), c.draw(&good, s)}
	if known(stack.values) {
		ids, lines = append(ids, c.draw(&failed, s)), append(lines, failed)
		path("area", &stack, c.draw(&stack, s), underLargest)
	}
	path("area", &good, ids[1], under)
	b.WriteString(string(c.shaded())) // over the areas, which are opaque
	path("line", &offered, ids[0], trace)
	path("line", &good, ids[1], trace)
	for i, l := range lines {
		ch.Legend = append(ch.Legend, legend{Name: l.name, Class: l.class, Series: ids[i], Box: i == 2})
	}
	ch.Plot = c.grid(&ch, s, InCount) + template.HTML(b.String())
	c.charts++
	ch.Label = c.label(lines)
	return &ch
}

// underLargest is under, but of several values that share a column it takes the largest, so that no failure is lost.
func underLargest(at []span, values []float64, s Scale) string {
	if len(at) <= columns {
		return under(at, values, s)
	}
	n := (len(at) + fewPoints - 1) / fewPoints
	var spans []span
	var most []float64
	for i := 0; i < len(at); i += n {
		end, v := min(i+n, len(at)), math.NaN()
		for _, w := range values[i:end] {
			v = Larger(v, w)
		}
		spans, most = append(spans, span{at[i].from, at[end-1].to}), append(most, v)
	}
	return under(spans, most, s)
}

// Times draws p50 and p95 with their objectives, on a logarithmic axis.
func (c *Plotter) Times(r *result.Result) *Chart {
	lines := []series{
		{name: "p95", class: "p95", values: column(c.points, func(p *point) float64 { return p.p95 })},
		{name: "p50", class: "p50", values: column(c.points, func(p *point) float64 { return p.p50 })},
	}
	var limits []Limit
	for _, l := range limitsOf(c, r) {
		if l.Quantile == .5 || l.Quantile == .95 {
			limits = append(limits, l)
		}
	}
	s, ok := Log(append(valuesOf(lines), values(limits))...)
	if !ok { // no request was answered
		s = Scale{Log: true, Lo: .001, Hi: 1}
	}
	ch := c.make(Chart{ID: "times", Title: "Response time", Alone: true}, s, lines)
	ch.Plot += c.limitLines(limits, s)
	ch.Table = nil // the chart of all percentiles has it
	ch.Aims, ch.Gaps = c.aims(limits, lines, s), c.gaps(lines[0].values)
	return ch
}

// The size of the text of an objective, roughly, as shares of the plot.
const aimWidth, aimHeight = .14, .16

// aims returns the texts of objectives, without those that would lie over another one. Each stands at its line, above
// or below it, where it hides the least of the lines of the chart.
func (c *Plotter) aims(list []Limit, lines []series, s Scale) []Aim {
	var out []Aim
	for _, l := range list {
		from, to := math.Max(0, c.Place(l.From)), math.Min(1, c.Place(l.To))
		if !(to > from) {
			continue
		}
		top, first := 1-s.At(l.Value), math.Min(from, 1-aimWidth)
		var best *Aim
		least := math.MaxInt
		for left := first; left == first || left+aimWidth <= to && least > 0; left += aimWidth / 4 {
			if slices.ContainsFunc(out, func(o Aim) bool {
				return math.Abs(o.left-left) < aimWidth && math.Abs(o.top-top) < aimHeight
			}) {
				continue
			}
			for _, below := range []bool{false, true} {
				y := top - aimHeight
				if below {
					y = top
				}
				if y < 0 || below && y+aimHeight > 1 {
					continue
				}
				if n := c.hidden(lines, s, span{left, left + aimWidth}, span{y, y + aimHeight}); n < least {
					least, best = n, &Aim{
						Label: words.Clip(l.Brief, 24), From: moment(c.From + left*(c.To-c.From)), To: moment(l.To), Below: below,
						left: left, top: top,
					}
				}
			}
		}
		if best != nil {
			best.Left, best.Top = c.places.left(best.left), c.places.top(best.top)
			out = append(out, *best)
		}
	}
	return out
}

// hidden counts the values of lines that a text hides, which takes a stretch of the axis of time, and one of the height
// of the plot from its top, both as shares. A line goes straight up or down to a value from the one before.
func (c *Plotter) hidden(lines []series, s Scale, wide, high span) (n int) {
	for i := range c.points {
		p := &c.points[i]
		from, to := c.Place(p.t), c.Place(p.t+p.d)
		if to < wide.from || from > wide.to {
			continue
		}
		for _, l := range lines {
			v := l.values[i]
			if math.IsNaN(v) || math.IsInf(v, 1) {
				continue
			}
			a := 1 - s.At(v)
			b := a
			if i > 0 && from >= wide.from && !math.IsNaN(l.values[i-1]) {
				b = 1 - s.At(l.values[i-1])
			}
			if min(a, b) < high.to && max(a, b) > high.from {
				n++
			}
		}
	}
	return n
}

// gaps returns the stretches in which values are infinite.
func (c *Plotter) gaps(values []float64) []Gap {
	var out []Gap
	for i := 0; i < len(values); i++ {
		if !math.IsInf(values[i], 1) {
			continue
		}
		from := i
		for i+1 < len(values) && math.IsInf(values[i+1], 1) {
			i++
		}
		a, z := c.points[from].t, c.points[i].t+c.points[i].d
		out = append(out, Gap{
			c.places.left(c.Place(a)), c.places.width(math.Max(.003, c.Place(z)-c.Place(a))), moment(a), moment(z),
		})
	}
	return out
}

// incidentLabel says how long an incident of a run lasted, and the share of requests that failed or were too slow.
func incidentLabel(r *result.Result, in *result.Incident) string {
	text := words.IncidentLasted(r, in)
	if in.Bad == 0 { // users of a closed load waited
		return text + " without an answer"
	}
	did := " failed"
	switch slow := in.Kinds["slow"]; {
	case slow == in.Bad:
		did = " " + words.TooSlow(r)
	case slow > 0:
		did = " failed or slow"
	}
	switch share := float64(in.Bad) / float64(in.Requests); {
	case share > .99 && share < 1:
		return text + ", > 99%" + did
	case share < .01:
		return text + ", < 1%" + did
	default:
		return text + ", " + words.Percent(math.Round(share*100)/100) + did
	}
}

// Incidents returns a lane with the stretches in which too many requests failed, and those in which the target was slow
// without a fault; it has no item if there were none.
func (t *Timeline) Incidents(r *result.Result) Lane {
	var lane Lane
	for i := range r.Incidents {
		in := &r.Incidents[i]
		if !in.Begin.Known() || !in.End.Known() || in.Requests == 0 {
			continue
		}
		it := t.item(float64(in.Begin), math.Min(t.To, float64(in.End)))
		it.Name, it.Hint, it.Incident = incidentLabel(r, in), words.IncidentText(r, in), true
		it.Mild = in.Bad > 0 && in.Kinds["slow"] == in.Bad
		lane.Items = append(lane.Items, it)
	}
	for i := range r.Slowdowns {
		s := &r.Slowdowns[i]
		if !(s.Usual > 0) || !s.From.Known() || !s.To.Known() {
			continue
		}
		it := t.item(float64(s.From), math.Min(t.To, float64(s.To)))
		it.Name, it.Incident, it.Mild = words.SlowdownLabel(r, s), true, true
		it.Hint = it.Name
		lane.Items = append(lane.Items, it)
	}
	slices.SortStableFunc(lane.Items, func(a, b laneItem) int { return cmp.Compare(a.start, b.start) })
	for i := range lane.Items {
		it, room := &lane.Items[i], 1-lane.Items[i].start
		if i+1 < len(lane.Items) {
			room = lane.Items[i+1].start - it.start
		}
		it.Room = t.places.maxWidth(room)
		if room < .03 {
			it.Name = " "
		}
	}
	return lane
}
