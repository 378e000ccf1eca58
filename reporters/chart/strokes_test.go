package chart

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// The pieces of a line make the path that its values have on the scale of the chart.
func TestStrokes_MakeThePath(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	edges := []int{-10, 0, 10, 15, 20, 30, 40}
	lines := []drawn{
		{series: series{name: "a", unit: inSeconds, values: []float64{1, 2, inf, nan, nan, 5}}, scale: Scale{Hi: 10}},
		{series: series{name: "b", unit: inSeconds, values: []float64{nan, 2, 2, 2, 2, 2}}, scale: Scale{Hi: 10}},
		{series: series{name: "c", unit: perSec, every: 2, values: []float64{1, 2, 4}}, scale: Scale{Hi: 4}, chart: 1},
	}
	lines[1].base = &lines[0].series
	for _, tt := range []struct {
		line             int
		path, area, text string
	}{
		{
			0, "M-10 450V450h10V400h10V0h5m5 0m10 0M30 250h10", "M-10 500V450h10V400h10V0h5V500h5V500h10V250h10V500",
			"1s 2s ∞ – – 5s",
		},
		{
			1, "M-10 500m10 0M0 400h10V400h5V400h5V400h10V400h10", "M-10 500V500h10V400h10V400h5V400h5V400h10V400h10V500",
			"– 2s 2s 2s 2s 2s",
		},
		{2, "M-10 375V375h20V250h10V0h20", "M-10 500V375h20V250h10V0h20V500", "1/s 2/s 4/s"},
	} {
		out, tables := encodeLines(lines, edges)
		l := out[tt.line]
		k := tables[l.Chart]
		pieces, texts := unfold(k.Pieces), unfold(k.Texts)
		path, area := l.Ends[0], l.Ends[1]
		var said []string
		for _, n := range decoded(out, tt.line, len(lines[tt.line].values)) {
			path += pieces[n]
			if a := k.Areas[n]; a != "" {
				area += a
			} else {
				area += pieces[n]
			}
			said = append(said, texts[n])
		}
		if area += l.Ends[2]; path != tt.path || area != tt.area || strings.Join(said, " ") != tt.text {
			t.Errorf("%s:\n%s\n%s\n%s\nwant\n%s\n%s\n%s", l.Name, path, area, said, tt.path, tt.area, tt.text)
		}
	}
}

// decoded returns the numbers of a line as the script reads them.
func decoded(list []line, i, n int) []int {
	l := list[i]
	out := slices.Repeat([]int{l.Common}, n)
	for j := range out {
		number := 0
		for k := range l.Digits {
			number = number*digitBase + int(l.Values[k*n+j]-firstDigit)
		}
		out[j] += number
	}
	for j := 0; j < len(l.Sparse); j += 2 {
		out[l.Sparse[j]] = l.Sparse[j+1]
	}
	if l.Base != nil {
		for j, b := range decoded(list, *l.Base, n) {
			out[j] += b
		}
	}
	return out
}

// unfold returns the texts that foldTexts was given.
func unfold(folded string) []string {
	var out []string
	for part := strings.Split(folded, "|"); len(part) >= 3; part = part[3:] {
		if part[1] == "" {
			out = append(out, part[0])
		}
		for _, c := range part[1] {
			out = append(out, part[0]+string(c)+part[2])
		}
	}
	return out
}

func TestFoldTexts(t *testing.T) {
	for _, list := range [][]string{
		{"∞", "–", "0s", "1.01ms", "1.02ms", "1.1ms", "1.11ms", "2s"},
		{"V312h10", "V311h10", "V311h5", "M3 4h5", "m5 0"},
		{"12 KiB", "13 KiB", "100%"},
		{"1h2m", "1h3m", "1m2s"},
	} {
		if got := unfold(foldTexts(list)); !slices.Equal(got, list) {
			t.Errorf("%q became %q", list, got)
		}
	}
}

// The numbers of a line survive their short forms, however many strokes there are.
func TestLine_Fill(t *testing.T) {
	for _, most := range []int{1, 2, 56, 57, 58, 3248, 3249, 200_000} {
		numbers := [][]int{{0, most, 1, most / 2, most, 0, most}, {0, most, 1, 0, most, 0, most}}
		lines := []drawn{{series: series{name: "a"}}, {series: series{name: "b", base: &series{name: "a"}}}}
		out := make([]line, 2)
		for i := range out {
			out[i].fill(lines, numbers, i)
		}
		for i := range out {
			if got := decoded(out, i, 7); !slices.Equal(got, numbers[i]) {
				t.Errorf("%d: %v became %v: %+v", i, numbers[i], got, out[i])
			}
		}
	}
}

// An axis has the text of each round moment and of each edge of a point.
func TestMoments(t *testing.T) {
	c := &Plotter{Timeline: &Timeline{From: -2, To: 3700}}
	for i := -2; i < 3700; i++ {
		c.points = append(c.points, point{t: float64(i), d: 1})
	}
	c.points[100].t, c.points[99].d = 98.25, 1.25
	a := c.zoomAxis()
	m := c.texts(a, edges(c.points))
	var texts []string
	for _, part := range m.Texts {
		p := part.([]any)
		for _, s := range p[1].([]string) {
			texts = append(texts, p[0].(string)+s)
		}
	}
	got := fmt.Sprint(m.Step, m.First, texts[:5], texts[61:64], texts[3601:3604], m.Other, m.Ticks[:6])
	if want := "1000 -2 [-2s -1s 0s 1s 2s] [59s 1m 1m1s] [59m59s 1h 1h0m1s] map[98250:1m38.25s] [1 2 5 10 15 30]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := c.transform(a); !strings.HasPrefix(got, "matrix(0.005402485") {
		t.Errorf("transform %s", got)
	}
}

// The names of a part of the run stand where their lines leave it, apart from one another.
func TestNameHeights(t *testing.T) {
	c := &Plotter{Timeline: &Timeline{To: 6}, moments: 6, names: map[string]*nameHeights{}}
	c.places = Places{}
	for i := range 6 {
		c.points = append(c.points, point{t: float64(i), d: 1})
	}
	nan := math.NaN()
	lines := []series{
		{name: "low", values: []float64{0, 0, 0, 10, 10, 10}},
		{name: "high", values: []float64{nan, nan, nan, nan, nan, 10}},
	}
	ch := &Chart{ID: "x"}
	c.nameEnds(ch, Scale{Hi: 10}, lines, .1)
	h := c.names["x"]
	if got := fmt.Sprint(ch.Ends[0].Label, ch.Ends[1].Label, h.Every,
		h.Values); got != "highlow1 [[-1 -1 -1 -1 -1 0] [97 97 97 97 0 10]]" {
		t.Errorf("got %s", got)
	}
}
