package chart

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// A stroke is one drawn value of a line: the piece of path over one point, and the text to show. The page's script
// receives lines as strokes. It joins the pieces of a line and shows the text at the pointer, so it needs to know
// nothing of scales, paths or number formats.
type stroke struct {
	text  string
	piece string // of the line
	area  string // of the area under the line; empty: like piece
	value float64
	wide  int
}

// strokeKey identifies a stroke.
type strokeKey struct {
	text string
	wide int // width of its point
	from int // where the line begins again after a gap; atOnce without a gap
}

// atOnce is the value of from for a stroke that continues its line.
const atOnce = math.MinInt

// A strokeSet holds the different strokes of the lines of one chart.
type strokeSet struct {
	scale   Scale
	list    []stroke
	at      map[strokeKey]int
	heights map[string]int // by text: values with the same text have the same height
}

func newStrokeSet(s Scale) *strokeSet {
	return &strokeSet{scale: s, at: map[strokeKey]int{}, heights: map[string]int{}}
}

// add returns the number of the stroke of each value of a line, and the ends of its paths: the place where the line
// begins, and the places where the area under it begins and ends. Edges are those of the points, in units of the
// zoomed axis.
func (k *strokeSet) add(l *series, edges []int) (numbers []int, ends [3]string) {
	every, gap := max(1, l.every), false
	ends = [3]string{
		fmt.Sprintf("M%d %d", edges[0], PlotHeight), fmt.Sprintf("M%d %d", edges[0], PlotHeight),
		fmt.Sprintf("V%d", PlotHeight),
	}
	for i, v := range l.values {
		from, to := edges[i*every], edges[min(len(edges)-1, (i+1)*every)]
		key := strokeKey{l.unit.Format(v), to - from, atOnce}
		known := !math.IsNaN(v)
		if known && gap {
			key.from = from
		}
		gap = !known
		n, found := k.at[key]
		if !found {
			n = len(k.list)
			k.at[key] = n
			k.list = append(k.list, k.stroke(key, v))
		}
		if i == 0 && known {
			ends[0] = fmt.Sprintf("M%d %d", from, k.heights[key.text])
		}
		numbers = append(numbers, n)
	}
	return numbers, ends
}

// stroke returns a new stroke of a value.
func (k *strokeSet) stroke(key strokeKey, v float64) stroke {
	s := stroke{text: key.text, value: math.Min(v, math.MaxFloat64), wide: key.wide}
	if math.IsNaN(v) {
		s.value, s.piece, s.area = -1, fmt.Sprintf("m%d 0", s.wide), fmt.Sprintf("V%dh%d", PlotHeight, s.wide)
		return s
	}
	y, found := k.heights[s.text]
	if !found {
		y = heights([]float64{v}, k.scale)[0]
		k.heights[s.text] = y
	}
	s.piece = fmt.Sprintf("V%dh%d", y, s.wide)
	if key.from != atOnce {
		s.area, s.piece = s.piece, fmt.Sprintf("M%d %dh%d", key.from, y, s.wide)
	}
	return s
}

// sorted orders the strokes by value, so that close values have close numbers. It returns the new number of each
// stroke.
func (k *strokeSet) sorted() []int {
	order := make([]int, len(k.list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := &k.list[a], &k.list[b]
		return cmp.Or(cmp.Compare(x.wide, y.wide), cmp.Compare(x.value, y.value))
	})
	list, numbers := make([]stroke, len(order)), make([]int, len(order))
	for n, i := range order {
		list[n], numbers[i] = k.list[i], n
	}
	k.list = list
	return numbers
}

// strokeTable is the form of a strokeSet that the script reads.
type strokeTable struct {
	Pieces string         `json:"p"` // in the form of foldTexts
	Texts  string         `json:"t"`
	Areas  map[int]string `json:"a,omitempty"`
}

func (k *strokeSet) table() strokeTable {
	pieces, texts, areas := make([]string, len(k.list)), make([]string, len(k.list)), map[int]string{}
	for i, s := range k.list {
		pieces[i], texts[i] = s.piece, s.text
		if s.area != "" {
			areas[i] = s.area
		}
	}
	return strokeTable{Pieces: foldTexts(pieces), Texts: foldTexts(texts), Areas: areas}
}

// foldTexts shortens texts that differ little from their neighbours. It groups them: a group is a common beginning,
// the one differing character of each text, and a common end, joined by |.
func foldTexts(list []string) string {
	var out []string
	for _, s := range list {
		tail := strings.LastIndexByte(s, 'h') // of a piece: the part to the right
		if tail < 0 || s[0] != 'V' && s[0] != 'M' {
			tail = strings.LastIndexAny(s, "0123456789") + 1
		}
		if tail == 0 {
			out = append(out, s, "", "")
			continue
		}
		if n := len(out); n > 0 && out[n-3] == s[:tail-1] && out[n-1] == s[tail:] && out[n-2] != "" {
			out[n-2] += s[tail-1 : tail]
			continue
		}
		out = append(out, s[:tail-1], s[tail-1:tail], s[tail:])
	}
	return strings.Join(out, "|")
}

// line is the form of a series that the script reads.
type line struct {
	Name   string    `json:"n"`
	Chart  int       `json:"k"`           // index of its strokeTable
	Ends   [3]string `json:"m"`           // of its paths
	Base   *int      `json:"b,omitempty"` // the numbers are differences from the numbers of this line
	Every  int       `json:"g,omitempty"` // points per number
	Common int       `json:"o,omitempty"` // the number of each point that Sparse omits; the smallest number in Values
	Digits int       `json:"w,omitempty"` // per number of Values
	Values string    `json:"v,omitempty"` // numbers beyond Common, in digits from firstDigit on
	Sparse []int     `json:"z,omitempty"` // pairs of place and number
}

// Numbers are written in digits that need no escape in JSON: # to [.
const (
	firstDigit = '#'
	digitBase  = 57
)

// write stores numbers, each in as many digits as the largest number needs.
func (l *line) write(values []int) {
	l.Common, l.Digits = slices.Min(values), 1
	for most := slices.Max(values) - l.Common; most >= digitBase; most /= digitBase {
		l.Digits++
	}
	out := make([]byte, len(values)*l.Digits)
	for i, n := range values {
		n -= l.Common
		for k := l.Digits - 1; k >= 0; k-- {
			out[k*len(values)+i] = byte(firstDigit + n%digitBase)
			n /= digitBase
		}
	}
	l.Values = string(out)
}

// A drawn is a series with the scale and the chart in which it was drawn.
type drawn struct {
	series
	scale Scale
	chart int
}

// encodeLines returns the lines, with the tables of their charts' strokes.
func encodeLines(list []drawn, edges []int) (out []line, tables []strokeTable) {
	var sets []*strokeSet
	numbers := make([][]int, len(list))
	for i := range list {
		d := &list[i]
		if d.chart == len(sets) {
			sets = append(sets, newStrokeSet(d.scale))
		}
		l := line{Name: d.name, Chart: d.chart, Every: d.every}
		numbers[i], l.Ends = sets[d.chart].add(&d.series, edges)
		out = append(out, l)
	}
	for _, k := range sets {
		renumbered, first := k.sorted(), len(tables)
		tables = append(tables, k.table())
		for i := range list {
			if list[i].chart != first {
				continue
			}
			for j, n := range numbers[i] {
				numbers[i][j] = renumbered[n]
			}
		}
	}
	for i := range out {
		out[i].fill(list, numbers, i)
	}
	return out, tables
}

// fill adds the numbers of line i.
func (l *line) fill(list []drawn, numbers [][]int, i int) {
	values := slices.Clone(numbers[i])
	if base := list[i].base; base != nil {
		j := slices.IndexFunc(list[:i], func(d drawn) bool { return d.name == base.name })
		l.Base = &j
		for k := range values {
			values[k] -= numbers[j][k]
		}
	}
	count := map[int]int{}
	for _, n := range values {
		count[n]++
	}
	for _, n := range slices.Sorted(maps.Keys(count)) {
		if count[n] > count[l.Common] {
			l.Common = n
		}
	}
	if count[l.Common]*3 <= len(values)*2 {
		l.write(values)
		return
	}
	for at, n := range values {
		if n != l.Common {
			l.Sparse = append(l.Sparse, at, n)
		}
	}
}

// axis is the time axis of zoomed charts.
type axis struct {
	perUnit int64 // milliseconds
	step    int64 // milliseconds between the moments that have a text
}

// mostMoments bounds the number of texts of an axis, besides those for the edges of points.
const mostMoments = 4000

// zoomAxis returns an axis fine enough for a part of the run with few points.
func (c *Plotter) zoomAxis() axis {
	usual := longest(c.points) * 1e3
	a := axis{perUnit: max(1, int64(math.Round(usual/100)))}
	for _, s := range timeSteps {
		if a.step = int64(math.Round(s * 1e3)); float64(a.step)*5 >= usual && (c.To-c.From)/s <= mostMoments {
			break
		}
	}
	return a
}

// transform maps units of the zoomed axis to units of the plot.
func (t *Timeline) transform(a axis) string {
	per := PlotWidth / (t.To - t.From)
	format := func(f float64) string { return strconv.FormatFloat(f, 'g', 8, 64) }
	return "matrix(" + format(per*float64(a.perUnit)/1e3) + ",0,0,1," + format(-t.From*per) + ",0)"
}

// units returns edges in units of the axis.
func (a axis) units(edges []int64) []int {
	out := make([]int, len(edges))
	for i, ms := range edges {
		out[i] = int(math.Round(float64(ms) / float64(a.perUnit)))
	}
	return out
}

// momentTexts holds the texts of moments: of the multiples of a step in order, and of other moments by their
// milliseconds.
type momentTexts struct {
	Step  int64            `json:"s"`
	First int64            `json:"f"` // in steps
	Texts []any            `json:"t"` // lists of a common beginning and the different ends
	Other map[int64]string `json:"o"`
	Ticks []int64          `json:"k"` // possible distances of ticks, in steps
}

// texts returns the texts of an axis, and the texts of the edges of points.
func (t *Timeline) texts(a axis, edges []int64) momentTexts {
	text := func(ms int64) string { return words.Offset(result.Num(float64(ms) / 1e3)) }
	out := momentTexts{Step: a.step, First: int64(math.Ceil(t.From * 1e3 / float64(a.step))), Other: map[int64]string{}}
	begin, ends := "", []string{}
	for i := out.First; i*a.step <= int64(t.To*1e3); i++ {
		s := text(i * a.step)
		cut := strings.LastIndexAny(strings.TrimSuffix(s, "ms"), "hm") + 1
		if s[:cut] != begin && len(ends) > 0 {
			out.Texts, ends = append(out.Texts, []any{begin, ends}), nil
		}
		begin, ends = s[:cut], append(ends, s[cut:])
	}
	out.Texts = append(out.Texts, []any{begin, ends})
	for _, ms := range edges {
		if ms%a.step != 0 {
			out.Other[ms] = text(ms)
		}
	}
	for _, step := range timeSteps {
		if ms := int64(math.Round(step * 1e3)); ms%a.step == 0 {
			out.Ticks = append(out.Ticks, ms/a.step)
		}
	}
	return out
}

// edges returns the start of each point in milliseconds, and last the end of the last point.
func edges(list []point) []int64 {
	ms := func(s float64) int64 { return int64(math.Round(s * 1e3)) }
	var out []int64
	for i := range list {
		out = append(out, ms(list[i].t))
	}
	last := &list[len(list)-1]
	return append(out, ms(last.t+last.d))
}

// nameHeights holds the heights of lines' names for views that end before the end of the run: by name, in hundredths
// of the plot's height from above; -1 if a line has no value.
type nameHeights struct {
	Every  int     `json:"g"` // points per value
	Values [][]int `json:"h"`
}
