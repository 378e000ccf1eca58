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
)

// A series is a line of a chart.
type series struct {
	name   string
	class  string    // sets colour and dashes
	values []float64 // one for each point; NaN is a gap, infinity is above the plot
	area   bool      // filled down to the lower edge
	unit   unit
	base   *series // the script stores the difference from base, which is shorter
	every  int     // points per value; zero means 1
	low    bool    // a share whose best value is 1: of several values the smallest is shown
}

// unit is the unit in which values are written.
type unit int

const (
	inSeconds unit = iota
	perSec
	InCount // a whole number
	inShare
	InCores // cores of processors
	inBytes
)

func (u unit) Format(f float64) string {
	switch {
	case math.IsNaN(f):
		return "–"
	case math.IsInf(f, 0):
		return "∞"
	case u == inSeconds:
		return quantity.FormatSeconds(f)
	case u == perSec:
		return words.Number(f) + "/s"
	case u == inShare:
		return words.Percent(f)
	case u == inBytes:
		return words.Bytes(int64(f))
	}
	return words.Number(f)
}

// scale returns a linear scale for values of a unit, with round numbers in that unit.
func (u unit) scale(values ...[]float64) Scale {
	switch u {
	case inBytes:
		return binary(values...)
	case inShare:
		return Share(values...)
	}
	return Linear(values...)
}

// A Chart is a figure of the page: a plot with its labels, and a table of the same values.
type Chart struct {
	ID, Title string
	About     string // what it shows, one sentence
	Small     bool
	Dense     bool // it has more points than columns
	Alone     bool // it needs no title, because the section's title names it
	Legend    []legend
	Marks     bool // the legend below explains the shade
	Many      bool // there are more faults than can have marks
	Lanes     []Lane
	Strips    []strip
	Y         []Tick
	X         []Tick
	Behind    template.HTML // inside the svg, below the lines; common to the charts of every load and step
	Plot      template.HTML // inside the svg
	Ends      []Tick        // names at the right end of the lines
	Tops      [][]top       // rows of names above the plot, where lines are highest
	Named     bool          // the names at the right end are long
	Shades    template.HTML // what the colours mean
	Time      bool          // its x axis is the run's time
	Label     string        // text for readers who cannot see the chart
	Table     *Table
	Aims      []Aim     // texts of objectives beside their lines
	Gaps      []Gap     // stretches without a value, as too many requests failed
	Straight  *Straight // the chart on a linear scale; nil: the chart is linear already, or has no time axis
}

type legend struct {
	Name, Class string
	Series      int  // index for the script; -1: none
	Box         bool // it is the colour of an area
}

// A strip is the row above a plot that shows where a percentile is infinite.
type strip struct {
	Name, Class string
	Plot        template.HTML
}

// Table backs a chart. Its rows are as wide as its head.
type Table struct {
	Title   string // its name
	Caption string // a sentence on its rows
	Head    []string
	Rows    [][]string
}

// Filled returns t without the columns that have no known value.
func (t *Table) Filled() *Table {
	out := &Table{Title: t.Title, Caption: t.Caption, Rows: make([][]string, len(t.Rows))}
	for col, head := range t.Head {
		if !slices.ContainsFunc(t.Rows, func(row []string) bool { return row[col] != "–" }) {
			continue
		}
		out.Head = append(out.Head, head)
		for i, row := range t.Rows {
			out.Rows[i] = append(out.Rows[i], row[col])
		}
	}
	return out
}

// A Plotter draws the charts over time of a page, which share one time axis.
type Plotter struct {
	*Timeline
	points   []point
	together int
	at       []span
	behind   template.HTML // drawn behind the lines of every chart
	onPage   bool          // the page has behind already, and other charts refer to it
	ticks    []Tick
	data     []drawn                 // of all charts, in the script's order
	charts   int                     // number of charts with lines
	names    map[string]*nameHeights // by chart
	moments  int                     // number of moments with heights of names
	kinds    []kind                  // of errors
	rowLimit int                     // of the rows of a table
	bare     bool                    // lines have no path: the script joins their strokes
	load     string                  // the load that the charts show; empty: all loads
	step     string                  // the step that the charts show; empty: all steps
}

// NewPlotter returns a plotter for the points of a run on the time axis t. A point may merge several windows:
// together is their number.
func NewPlotter(t *Timeline, list []point, together int) *Plotter {
	c := &Plotter{
		Timeline: t, points: list, together: together, behind: t.Shade(), ticks: t.Times(), rowLimit: mostRows,
		moments: mostNameMoments,
	}
	c.names = map[string]*nameHeights{}
	for _, p := range list {
		c.at = append(c.at, span{t.Place(p.t), t.Place(p.t + p.d)})
	}
	return c
}

// make draws lines on the shared axis.
func (c *Plotter) make(ch Chart, s Scale, lines []series) *Chart {
	c.overTime(&ch)
	ch.Dense = len(c.points) > columns
	wide := columns
	if ch.Small && ch.Dense {
		wide /= 2
	}
	var b strings.Builder
	for i := range lines {
		l := &lines[i]
		id := c.draw(l, s)
		if l.area && !(ch.Small && ch.Dense) {
			writePath(&b, c.bare, "area "+l.class, id, func() string { return under(c.at, l.values, s) })
		}
		writePath(&b, c.bare, "line "+l.class, id, func() string { return traceIn(c.at, l.values, s, wide) })
		ch.Legend = append(ch.Legend, legend{Name: l.name, Class: l.class, Series: id})
	}
	ch.Behind, ch.Plot = c.shaded(), c.grid(&ch, s, lines[0].unit)+template.HTML(b.String())
	c.charts++
	ch.Label = c.label(lines)
	ch.Table = c.tableOf(lines, c.rowLimit)
	ch.Table.Title = ch.Title
	return &ch
}

// writePath writes the path of a line, or of the area under it. With bare it omits the shape.
func writePath(b *strings.Builder, bare bool, class string, id int, d func() string) {
	fmt.Fprintf(b, `<path class="%s" data-s="%d"`, class, id)
	if !bare {
		fmt.Fprintf(b, ` d="%s"`, d())
	}
	b.WriteString("/>")
}

// draw adds a line of the current chart and returns its number.
func (c *Plotter) draw(l *series, s Scale) int {
	c.data = append(c.data, drawn{*l, s, c.charts})
	return len(c.data) - 1
}

// overTime gives a chart the shared time axis and the faults above it.
func (c *Plotter) overTime(ch *Chart) {
	ch.Time, ch.Lanes, ch.X, ch.Marks, ch.Many = true, c.lanes, c.ticks, c.Struck(), len(c.faults) > MostNamed
}

// grid draws a line for each tick of the scale and adds the labels beside the plot.
func (c *Plotter) grid(ch *Chart, s Scale, u unit) template.HTML {
	var b strings.Builder
	for _, v := range s.Ticks() {
		ch.Y = append(ch.Y, Tick{Place: c.places.top(1 - s.At(v)), Label: u.Format(v)})
		b.WriteString(string(hline("grid", s.At(v))))
	}
	return template.HTML(b.String())
}

// shaded draws the background of the charts over time. The page of a finished run holds it once. While the run goes
// on each chart has its own, because some charts are then redrawn less often than others.
func (c *Plotter) shaded() template.HTML {
	switch {
	case c.behind == "" || !math.IsNaN(c.now):
		return c.behind
	case c.onPage:
		return `<use href="#behind"/>`
	}
	c.onPage = true
	return `<g id="behind">` + c.behind + `</g>`
}

func hline(class string, at float64) template.HTML {
	return template.HTML(fmt.Sprintf(`<path class="%s" d="M0 %sh2000"/>`, class, units((1-at)*PlotHeight)))
}

// label describes the lines and their ranges for readers who cannot see them.
func (c *Plotter) label(lines []series) string {
	var parts []string
	for _, l := range lines {
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, v := range l.values {
			if !math.IsNaN(v) {
				lo, hi = math.Min(lo, v), math.Max(hi, v)
			}
		}
		if hi >= lo {
			parts = append(parts, l.name+" from "+l.unit.Format(lo)+" to "+l.unit.Format(hi))
		}
	}
	return strings.Join(parts, "; ")
}

// mostRows bounds the rows of a chart's table.
const mostRows = 60

// tableOf returns the lines as a table of at most most rows. If a row covers several points, it has their mean for
// rates, their smallest value for shares where 1 is best, and their largest value for everything else.
func (c *Plotter) tableOf(lines []series, most int) *Table {
	t := &Table{Head: []string{"from"}}
	step := 1
	if n := len(c.points); n > most {
		step = (n + most - 1) / most
	}
	for _, l := range lines {
		t.Head = append(t.Head, l.name)
	}
	for i := 0; i < len(c.points); i += step {
		end := min(len(c.points), i+step)
		row := []string{words.Offset(result.Num(c.points[i].t))}
		for _, l := range lines {
			row = append(row, l.unit.Format(c.sum(l, i, end)))
		}
		t.Rows = append(t.Rows, row)
	}
	switch {
	case step > 1 && lines[0].unit == perSec:
		t.Caption = fmt.Sprintf("A row is the mean of %d points; result.json has every window.", step)
	case step > 1 && lines[0].low:
		t.Caption = fmt.Sprintf("A row is the smallest of %d points; result.json has every window.", step)
	case step > 1:
		t.Caption = fmt.Sprintf("A row is the largest of %d points; result.json has every window.", step)
	}
	return t
}

func (c *Plotter) sum(l series, from, to int) float64 {
	sum, span, most := 0.0, 0.0, math.NaN()
	for i := from; i < to; i++ {
		if v := l.values[i]; !math.IsNaN(v) {
			sum += v * c.points[i].d
			span += c.points[i].d
			if l.low && v < most {
				most = v
			} else if !l.low || math.IsNaN(most) {
				most = Larger(most, v)
			}
		}
	}
	if l.unit == perSec && span > 0 {
		return sum / span
	}
	return most
}

// strips returns the spans where lines are infinite, with one row per line.
func (c *Plotter) strips(lines []series) []strip {
	var out []strip
	for _, l := range lines {
		var b strings.Builder
		for i := 0; i < len(l.values); i++ {
			if !math.IsInf(l.values[i], 1) {
				continue
			}
			from := i
			for i+1 < len(l.values) && math.IsInf(l.values[i+1], 1) {
				i++
			}
			a, z := c.Place(c.points[from].t)*PlotWidth, c.Place(c.points[i].t+c.points[i].d)*PlotWidth
			fmt.Fprintf(&b, "M%s 0h%sv10h%sz", units(a), units(math.Max(2, z-a)), units(-math.Max(2, z-a)))
		}
		if b.Len() > 0 {
			out = append(out, strip{Name: "∞ " + l.name, Class: l.class, Plot: template.HTML(`<path d="` + b.String() + `"/>`)})
		}
	}
	return out
}

// The least distance between labels at the end of lines, as a share of the plot's height.
const (
	apart      = .062
	apartSmall = .13
)

// mostNameMoments bounds the moments for which a page stores the heights of names; mostFacetMoments does so for all
// loads and steps together.
const (
	mostNameMoments  = 60
	mostFacetMoments = 120
)

// nameEnds places the names at the right end of the lines. For the script it also stores the heights of the names for
// views that end at another moment.
func (c *Plotter) nameEnds(ch *Chart, s Scale, lines []series, least float64) {
	last := len(c.points) - 1
	n := min(9, 1+len(c.points)/8)
	list := ends(lines, last, n, len(c.points))
	spread(s, list, least)
	long := slices.ContainsFunc(list, func(e end) bool { return len(e.name) > 4 })
	columns := map[int]int{} // of each line
	for i, e := range list {
		ch.Ends = append(ch.Ends, Tick{Place: c.places.top(1 - e.at), Label: e.name, Minor: long})
		columns[e.line] = i
	}
	if len(list) == 0 {
		return
	}
	h := &nameHeights{Every: (len(c.points) + c.moments - 1) / c.moments, Values: make([][]int, len(list))}
	for i := 0; i < len(c.points); i += h.Every {
		to := min(last, i+h.Every-1)
		part := ends(lines, to, 3, 3)
		spread(s, part, least)
		for k := range h.Values {
			h.Values[k] = append(h.Values[k], -1)
		}
		for _, e := range part {
			if k, ok := columns[e.line]; ok {
				h.Values[k][len(h.Values[k])-1] = int(math.Round(100 * (1 - e.at)))
			}
		}
	}
	c.names[ch.ID] = h
}

// end is the name of a line at the right edge of a plot.
type end struct {
	name      string
	line      int
	value, at float64
}

// ends returns, for each line, the median of its last known values up to point to: at most most values, and only from
// the last points points.
func ends(lines []series, to, most, points int) []end {
	var list []end
	for i := len(lines) - 1; i >= 0; i-- {
		l := &lines[i]
		var last []float64
		for j := to; j >= max(0, to-points+1) && len(last) < most; j-- {
			if v := l.values[j]; !math.IsNaN(v) {
				last = append(last, v)
			}
		}
		if len(last) > 0 {
			list = append(list, end{name: l.name, line: i, value: median(last)})
		}
	}
	return list
}

// spread sorts the names of lines from top to bottom and moves them apart by as little as needed.
func spread(s Scale, list []end, apart float64) {
	slices.SortStableFunc(list, func(a, b end) int { return cmp.Compare(b.value, a.value) })
	below := 2.0 // position of the label above
	for i := range list {
		list[i].at = math.Min(s.At(list[i].value), below-apart)
		below = list[i].at
	}
	above := apart / 3 // the lowest stays clear of the time axis
	for i := range slices.Backward(list) {
		list[i].at = math.Max(list[i].at, above)
		above = list[i].at + apart
	}
}

// top is a name above a plot, at the place of the thing it names.
type top struct {
	Class, Place, Room, Label string
	At                        string // of a moment, for the script
	Left                      bool   // it stands left of its place
	at                        float64
}

// span returns roughly the part of the plot's width that the label covers, on a page of the usual size.
func (t *top) span() (from, to float64) {
	w := .03 + .0075*float64(words.Width(t.Label))
	if t.Left {
		return t.at - w, t.at
	}
	return t.at, t.at + w
}

// rows packs labels into rows in which no two overlap.
func (c *Plotter) rows(list []top) [][]top {
	slices.SortStableFunc(list, func(a, b top) int { return cmp.Compare(a.at, b.at) })
	var out [][]top
next:
	for _, t := range list {
		t.Left = t.at > .6
		from, _ := t.span()
		for i := range out {
			if _, end := out[i][len(out[i])-1].span(); end <= from {
				out[i] = append(out[i], t)
				continue next
			}
		}
		out = append(out, []top{t})
	}
	for _, row := range out {
		for i := range row {
			t := &row[i]
			// neighbours share the space between them, however narrow the page
			between := func(a, b *top) float64 { _, end := a.span(); from, _ := b.span(); return (end + from) / 2 }
			before, after := 0.0, 1.0
			if i > 0 {
				before = between(&row[i-1], t)
			}
			if i+1 < len(row) {
				after = between(t, &row[i+1])
			}
			t.Place, t.Room = c.places.left(t.at), c.places.maxWidth(after-t.at)
			if t.Left {
				t.Room = c.places.maxWidth(t.at - before)
			}
		}
	}
	return out
}

// peaks places names at the highest points of lines.
func (c *Plotter) peaks(lines []series) [][]top {
	var list []top
	for _, l := range lines {
		most := 0
		for i, v := range l.values {
			if v > l.values[most] {
				most = i
			}
		}
		if v := l.values[most]; v > 0 {
			p := &c.points[most]
			list = append(list, top{
				Class: l.class, Label: words.Clip(l.name, 34) + " " + l.unit.Format(v),
				At: moment(p.t + p.d/2), at: c.Place(p.t + p.d/2),
			})
		}
	}
	return c.rows(list)
}
