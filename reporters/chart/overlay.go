package chart

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// An Overlay draws figures of two runs over each other, on one clock that begins at the t0 of each.
type Overlay struct {
	From, To float64 // seconds from t0
	Axis     []Mark
	Runs     [2]OverlayRun // the earlier run, and the run itself
	Charts   []OverlayChart
	Readout  Readout
}

// An OverlayRun has the faults of one of the two runs.
type OverlayRun struct {
	Bars  []OverlayBar
	Shade template.HTML // behind the lines
}

// An OverlayBar is a fault on the clock of both runs. Places are shares of the plot's width, such as 12.50%.
type OverlayBar struct{ Left, Width, Name, Hint string }

// An OverlayChart is one figure over time.
type OverlayChart struct {
	ID, Title, About string
	Ticks            []Mark
	Grid, Lines      template.HTML
	Label            string
	Table            *Table
}

// A Mark is a label on an axis. Its place is a share of the axis, such as 12.50%.
type Mark struct {
	Place, Label string
	Edge         string // start or end, at the ends of an axis; else middle
}

// mostOverlayRows bounds the rows of the table of an overlay.
const mostOverlayRows = 60

// NewOverlay draws two runs over each other; nil if one of them has no window.
func NewOverlay(earlier, run *result.Result) *Overlay {
	o := &Overlay{}
	var plots [2]*Plotter
	for i, r := range []*result.Result{earlier, run} {
		list, together := Points(r)
		if len(list) == 0 {
			return nil
		}
		t := NewTimeline(r, list, Places{})
		plots[i] = &Plotter{Timeline: t, points: list, together: together}
		o.From, o.To = math.Min(o.From, t.From), math.Max(o.To, t.To)
	}
	o.Readout = Readout{Axis: [2]float64{o.From, o.To}, Unit: "s", Values: map[string][][]string{}}
	for i, c := range plots {
		c.From, c.To = o.From, o.To // both runs share one axis
		s := ReadoutSeries{Name: string("AB"[i])}
		for _, p := range c.points {
			c.at = append(c.at, span{c.Place(p.t), c.Place(p.t + p.d)})
			s.From, s.To = append(s.From, Round3(p.t)), append(s.To, Round3(p.t+p.d))
		}
		o.Readout.Series = append(o.Readout.Series, s)
		o.Runs[i] = c.overlayRun()
	}
	for _, s := range timeTicks(o.From, o.To, 8) {
		o.Axis = append(o.Axis, MarkAt(plots[0].Place(s), words.Offset(result.Num(s))))
	}
	times := func(p *point) float64 { return p.p95 }
	finite := func(p *point) float64 {
		if math.IsInf(p.p95, 0) {
			return math.NaN()
		}
		return p.p95
	}
	limits := Limits(run, "*", "*")
	var levels []float64
	for _, l := range limits {
		if l.Quantile == .95 {
			levels = append(levels, l.Value)
		}
	}
	s, ok := Log(column(plots[0].points, times), column(plots[1].points, times), levels)
	if !ok {
		s = Scale{Log: true, Lo: .001, Hi: 1}
	}
	p95 := o.chart(plots, "p95", "p95", inSeconds, s, finite)
	p95.About = "Response time, on a logarithmic scale. A gap is time in which over 5 % of the requests failed, so that " +
		"there is no p95."
	for _, l := range limits {
		if l.Quantile == .95 && l.To > o.From && l.From < o.To { // false for NaN
			p95.Grid += plots[1].limitLines([]Limit{l}, s)
		}
	}
	failed := func(p *point) float64 {
		if p.offered == 0 {
			return math.NaN()
		}
		return float64(p.failed+p.skipped) / float64(p.offered)
	}
	shares := inShare.scale(column(plots[0].points, failed), column(plots[1].points, failed))
	good := func(p *point) float64 {
		if p.offered == 0 { // such as after the end of the load
			return math.NaN()
		}
		return float64(p.ok) / p.d
	}
	rates := Linear(column(plots[0].points, good), column(plots[1].points, good))
	bad := o.chart(plots, "failed", "Failed requests", inShare, shares, failed)
	bad.About = "Share of the requests of each second that failed or were skipped."
	ok2 := o.chart(plots, "good", "Good answers per second", perSec, rates, good)
	ok2.About = "Answered, with every check held, by when they were asked for."
	o.Charts = []OverlayChart{p95, bad, ok2}
	return o
}

// MarkAt returns a label at a share of an axis.
func MarkAt(share float64, label string) Mark {
	m := Mark{Place: PercentOf(share), Label: label, Edge: "middle"}
	switch {
	case share < .02:
		m.Edge = "start"
	case share > .98:
		m.Edge = "end"
	}
	return m
}

// PercentOf formats a part of the whole for an attribute of SVG.
func PercentOf(f float64) string { return fmt.Sprintf("%.2f%%", 100*f) }

// overlayRun returns the faults of the plotter's run.
func (c *Plotter) overlayRun() (out OverlayRun) {
	var shade strings.Builder
	for i := range c.faults {
		f := &c.faults[i]
		if !f.Injected.Known() {
			continue
		}
		from, to := c.Place(float64(f.Injected)), c.Place(c.end(f))
		name := words.Clean(f.Name)
		bar := OverlayBar{
			Left: PercentOf(from), Width: PercentOf(math.Max(to-from, .002)), Name: name,
			Hint: name + ": " + words.Offset(f.Injected) + " to " + words.Offset(f.Cleared),
		}
		if len(c.faults) > MostNamed {
			bar.Name = ""
		}
		out.Bars = append(out.Bars, bar)
		fmt.Fprintf(&shade, "M%s 0V%dH%sV0z", units(from*PlotWidth), PlotHeight, units(to*PlotWidth))
	}
	if shade.Len() > 0 {
		out.Shade = template.HTML(`<path class="shade" d="` + shade.String() + `"/>`)
	}
	return out
}

// chart draws one figure of both runs.
func (o *Overlay) chart(plots [2]*Plotter, id, title string, u unit, s Scale, of func(*point) float64) OverlayChart {
	ch := OverlayChart{ID: id, Title: title, Table: &Table{Head: []string{"Time", "A", "B"}}}
	var grid, lines strings.Builder
	for _, v := range s.Ticks() {
		ch.Ticks = append(ch.Ticks, Mark{Place: PercentOf(1 - s.At(v)), Label: u.Format(v)})
		grid.WriteString(string(hline("grid", s.At(v))))
	}
	for i, class := range []string{"a", "b"} {
		c := plots[i]
		values := column(c.points, of)
		fmt.Fprintf(&lines, `<path class="line %s" d="%s"/>`, class, traceIn(c.at, values, s, columns))
		low, high := math.Inf(1), math.Inf(-1)
		texts := make([]string, len(values))
		for i, v := range values {
			texts[i] = u.Format(v)
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				low, high = math.Min(low, v), math.Max(high, v)
			}
		}
		o.Readout.Values["c-"+id] = append(o.Readout.Values["c-"+id], texts)
		if low <= high {
			ch.Label += fmt.Sprintf("; run %s from %s to %s", strings.ToUpper(class), u.Format(low), u.Format(high))
		}
	}
	ch.Grid, ch.Lines, ch.Label = template.HTML(grid.String()), template.HTML(lines.String()), title+ch.Label
	step := math.Max(1, math.Ceil((o.To-o.From)/mostOverlayRows))
	for at := math.Floor(o.From); at < o.To; at += step {
		row := []string{words.Offset(result.Num(at))}
		for _, c := range plots {
			row = append(row, u.Format(worstIn(c.points, at, at+step, of)))
		}
		ch.Table.Rows = append(ch.Table.Rows, row)
	}
	return ch
}

// worstIn returns the largest value in a span of time; NaN if there is none.
func worstIn(list []point, from, to float64, of func(*point) float64) float64 {
	most := math.NaN()
	for i := range list {
		if p := &list[i]; p.t >= from && p.t < to {
			most = Larger(most, of(p))
		}
	}
	return most
}
