package chart

import (
	"math"
	"strconv"
)

// The size of a plot in its own units. It is stretched to the page, so a unit is not a pixel;
// lines keep their width.
const (
	PlotWidth  = 2000
	PlotHeight = 500
	columns    = PlotWidth / 2 // of a plot with more points than columns
)

// pen writes an SVG path in whole units, each step relative to the last.
type pen struct {
	b    []byte
	x, y int
	flat int // offset in b of the last step, if that step goes to the right
	run  int // length of that step; 0: it does not go to the right
}

func (p *pen) number(n int) {
	if c := p.b[len(p.b)-1]; n >= 0 && c >= '0' && c <= '9' {
		p.b = append(p.b, ' ')
	}
	p.b = strconv.AppendInt(p.b, int64(n), 10)
}

func (p *pen) move(x, y int) {
	p.b = append(p.b, 'M')
	p.number(x)
	p.number(y)
	p.x, p.y, p.run = x, y, 0
}

func (p *pen) line(x, y int) {
	switch {
	case x == p.x && y == p.y:
		return
	case y == p.y && x > p.x: // steps on one level are merged
		if p.run > 0 {
			p.b = p.b[:p.flat]
		}
		p.flat, p.run = len(p.b), p.run+x-p.x
		p.b = append(p.b, 'h')
		p.number(p.run)
		p.x = x
		return
	case y == p.y:
		p.b = append(p.b, 'h')
		p.number(x - p.x)
	case x == p.x:
		p.b = append(p.b, 'v')
		p.number(y - p.y)
	default:
		p.b = append(p.b, 'l')
		p.number(x - p.x)
		p.number(y - p.y)
	}
	p.x, p.y, p.run = x, y, 0
}

// dot makes a point visible that no line connects to another.
func (p *pen) dot() { p.b = append(p.b, "h0"...) }

// heights returns values as rows of the plot, counted from above; -1 is a gap.
func heights(values []float64, s Scale) []int {
	out := make([]int, len(values))
	for i, v := range values {
		out[i] = -1
		if !math.IsNaN(v) {
			out[i] = int(math.Round((1 - s.At(v)) * PlotHeight))
		}
	}
	return out
}

// fewPoints is the number of points up to which a line is drawn in steps, each as wide as its window. With more
// points only the middles of the windows are joined.
const fewPoints = 300

// span is the range of a point on the axis, 0 to 1.
type span struct{ from, to float64 }

func (e span) middle() float64 { return (e.from + e.to) / 2 }

// trace draws values over their spans. With more points than columns each column shows the
// range from its smallest to its largest value, so that no outlier is lost.
func trace(at []span, values []float64, s Scale) string { return traceIn(at, values, s, columns) }

// traceIn is trace with the given number of columns.
func traceIn(at []span, values []float64, s Scale, columns int) string {
	ys := heights(values, s)
	p := &pen{}
	switch {
	case len(at) > columns:
		p.dense(at, ys, columns)
	case len(at) > fewPoints:
		p.joined(at, ys)
	default:
		p.steps(at, ys)
	}
	return string(p.b)
}

func unitsOf(f float64) int { return int(math.Round(f * PlotWidth)) }

func (p *pen) steps(at []span, ys []int) {
	down := false
	for i, y := range ys {
		if y < 0 {
			down = false
			continue
		}
		if down {
			p.line(p.x, y)
		} else {
			p.move(unitsOf(at[i].from), y)
		}
		down = true
		if i+1 == len(ys) || ys[i+1] != y { // else the next step continues this one
			p.line(unitsOf(at[i].to), y)
		}
	}
}

func (p *pen) joined(at []span, ys []int) {
	for i, y := range ys {
		if y < 0 {
			continue
		}
		x := unitsOf(at[i].middle())
		switch {
		case i > 0 && ys[i-1] >= 0:
			p.line(x, y)
		case i+1 < len(ys) && ys[i+1] >= 0:
			p.move(x, y)
		default:
			p.move(x, y)
			p.dot()
		}
	}
}

func (p *pen) dense(at []span, ys []int, columns int) {
	down := false
	for i := 0; i < len(ys); {
		col := int(at[i].middle() * float64(columns))
		top, low, gap := PlotHeight+1, -1, true
		for ; i < len(ys) && int(at[i].middle()*float64(columns)) == col; i++ {
			if ys[i] >= 0 {
				top, low, gap = min(top, ys[i]), max(low, ys[i]), false
			}
		}
		x := (2*col + 1) * PlotWidth / (2 * columns)
		switch {
		case gap:
			down = false
			continue
		case !down:
			p.move(x, low)
			p.line(x, top)
			if low == top {
				p.dot()
			}
			down = true
		case p.y-top < low-p.y: // enter at the nearer end
			p.line(x, top)
			p.line(x, low)
		default:
			p.line(x, low)
			p.line(x, top)
		}
	}
}

// under closes a trace to an area that reaches the lower edge. With more points than columns, the area lies under the
// smallest of several values: the area is only a tint, and the line above it shows the values.
func under(at []span, values []float64, s Scale) string {
	if len(at) > columns {
		at, values = coarse(at, values)
	}
	var b []byte
	for i := 0; i < len(values); {
		if math.IsNaN(values[i]) {
			i++
			continue
		}
		end := i
		for end < len(values) && !math.IsNaN(values[end]) {
			end++
		}
		d, first := trace(at[i:end], values[i:end], s), at[i].from
		if len(at) > fewPoints {
			first = at[i].middle()
		}
		b = append(b, d...)
		b = append(b, 'V')
		b = strconv.AppendInt(b, PlotHeight, 10)
		b = append(b, 'H')
		b = strconv.AppendInt(b, int64(unitsOf(first)), 10)
		b = append(b, 'Z')
		i = end
	}
	return string(b)
}

// coarse merges points until they can be drawn in steps, with the smallest of their values.
func coarse(at []span, values []float64) ([]span, []float64) {
	n := (len(at) + fewPoints - 1) / fewPoints
	var spans []span
	var least []float64
	for i := 0; i < len(at); i += n {
		end := min(i+n, len(at))
		v := values[i]
		for _, w := range values[i+1 : end] {
			v = math.Min(v, w) // NaN stays: a gap of one point makes the merged point a gap
		}
		spans, least = append(spans, span{at[i].from, at[end-1].to}), append(least, v)
	}
	return spans, least
}
