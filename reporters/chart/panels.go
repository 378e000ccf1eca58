package chart

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"brunt/reporters/words"
)

// A reading is a value that was read repeatedly while the load ran: the usage of a unit, or
// the answer to a query.
type reading struct {
	name string
	t, v []float64 // seconds from t0, rising, and the values; NaN: not known
}

// A panel is a plot of readings of one kind.
type panel struct {
	id, title, about string
	unit             unit
	readings         []reading
	marks            []mark
}

// PanelLines bounds the lines of a panel. The other readings are merged into one line, which has their largest value
// at each moment.
const PanelLines = 6

// panelPoints bounds the points of all panels of a page. For a long run with many panels,
// several points become one with their largest value.
const panelPoints = 12_000

// panelColumns bounds the columns of all lines of panels together. A column shows the range from the smallest to the
// largest value in it.
const panelColumns = 4_500

// fewest is the least number of columns of a line.
const fewest = 120

// Panels draws panels over one axis and one table.
func (c *Plotter) Panels(list []panel) []*Chart {
	n := 0
	for i := range list {
		n += min(len(list[i].readings), PanelLines+1)
	}
	if n == 0 || len(c.points) == 0 {
		return nil
	}
	groups, wide := max(fewest, panelPoints/n), min(columns, max(fewest, panelColumns/n))
	every := (len(c.points) + groups - 1) / groups
	var out []*Chart
	var all []series
	for _, p := range list {
		lines := c.lines(p)
		if len(lines) == 0 {
			continue
		}
		ch := c.panel(p, lines, every, wide)
		for _, l := range lines {
			l.name = p.title + ", " + l.name
			all = append(all, l)
		}
		if len(out) > 0 {
			last := out[len(out)-1]
			ch.Lanes, last.X, last.Marks = nil, nil, false
		}
		out = append(out, ch)
	}
	if len(out) > 0 {
		t := c.tableOf(all, FewRows)
		t.Title, out[len(out)-1].Table = "The values of the charts above", t
	}
	return out
}

// FewRows bounds the rows of a table with many columns.
const FewRows = 12

// lines maps the readings of a panel to the points of the page.
func (c *Plotter) lines(p panel) []series {
	var out []series
	var rest []float64
	others := 0
	for _, g := range p.readings {
		values := c.atPoints(g)
		if !known(values) {
			continue
		}
		if len(out) < PanelLines {
			out = append(out, series{name: g.name, class: fmt.Sprintf("k%d", len(out)), unit: p.unit, values: values})
			continue
		}
		others++
		if rest == nil {
			rest = values
			continue
		}
		for i, v := range values {
			rest[i] = Larger(rest[i], v)
		}
	}
	if others > 0 {
		out = append(out, series{name: fmt.Sprintf("most of %d others", others), class: "most", unit: p.unit, values: rest})
	}
	return out
}

// atPoints gives each point the largest value read within it. A point without a reading gets the nearest reading, if
// that is at most 0.6 of the usual distance between readings away.
func (c *Plotter) atPoints(g reading) []float64 {
	out := make([]float64, len(c.points))
	apart := 1.0
	if n := len(g.t); n > 1 {
		gaps := make([]float64, n-1)
		for i := range gaps {
			gaps[i] = g.t[i+1] - g.t[i]
		}
		apart = median(gaps)
	}
	at := 0 // index of the first reading not before the point
	for i := range c.points {
		p := &c.points[i]
		for at < len(g.t) && g.t[at] < p.t {
			at++
		}
		out[i] = math.NaN()
		end := at
		for end < len(g.t) && g.t[end] < p.t+p.d {
			out[i] = Larger(out[i], g.v[end])
			end++
		}
		if end > at {
			continue
		}
		middle := p.t + p.d/2
		nearest, distance := -1, math.Inf(1)
		for _, j := range []int{at - 1, at} {
			if j >= 0 && j < len(g.t) && math.Abs(g.t[j]-middle) < distance {
				nearest, distance = j, math.Abs(g.t[j]-middle)
			}
		}
		if nearest >= 0 && distance <= .6*apart {
			out[i] = g.v[nearest]
		}
	}
	return out
}

// panel draws one plot. Every is the number of points that the script gets as one; wide is the number of columns of a
// line that has more points than that.
func (c *Plotter) panel(p panel, list []series, every, wide int) *Chart {
	all := make([][]float64, len(list))
	for i := range list {
		all[i] = list[i].values
	}
	s := p.unit.scale(all...)
	ch := &Chart{ID: p.id, Title: p.title, About: p.about, Small: true, Dense: len(c.points) > columns}
	c.overTime(ch)
	var b strings.Builder
	for i := range list {
		l := &list[i]
		g := grouped(*l, every)
		id := c.draw(&g, s)
		fmt.Fprintf(&b, `<path class="line %s" data-s="%d" d="%s"/>`, l.class, id, traceIn(c.at, l.values, s, wide))
		ch.Legend = append(ch.Legend, legend{Name: l.name, Class: l.class, Series: id})
	}
	ch.Behind, ch.Plot = c.shaded(), c.grid(ch, s, p.unit)+c.marked(p, list)+template.HTML(b.String())
	c.charts++
	ch.Label = c.label(list)
	c.nameEnds(ch, s, list, apartSmall)
	for i := range ch.Ends {
		ch.Ends[i].Label, ch.Ends[i].Minor = words.Clip(ch.Ends[i].Label, 14), false
	}
	if every > 1 {
		ch.About = strings.TrimSpace(ch.About + fmt.Sprintf(" At the pointer: the largest of %d points.", every))
	}
	return ch
}

// grouped merges each group of points into its largest value, which is shorter to write and as easy to read.
func grouped(l series, every int) series {
	if every < 2 {
		return l
	}
	out := make([]float64, 0, len(l.values)/every+1)
	for i := 0; i < len(l.values); i += every {
		most := math.NaN()
		for _, v := range l.values[i:min(len(l.values), i+every)] {
			most = Larger(most, v)
		}
		out = append(out, most)
	}
	l.values, l.every = out, every
	return l
}

// mark is a notable moment of one of the lines.
type mark struct {
	line string // name of the reading
	at   float64
}

// marked draws the marks: a line from top to bottom, in the colour of the mark's line.
func (c *Plotter) marked(p panel, list []series) (out template.HTML) {
	var b strings.Builder
	for _, l := range list {
		var d strings.Builder
		for _, m := range p.marks {
			if l.name == m.line {
				verticalLine(&d, c.Place(m.at))
			}
		}
		if d.Len() > 0 {
			fmt.Fprintf(&b, `<path class="restart %s" d="%s"/>`, l.class, d.String())
		}
	}
	return template.HTML(b.String())
}
