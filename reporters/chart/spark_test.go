package chart_test

import (
	"math"
	"testing"

	"brunt/reporters/chart"
	"brunt/reporters/reporterstest"
	"brunt/scenarios/result"
)

// second is a window over all loads and steps.
func second(t int, offered, failed int64, p95 result.Num) result.Window {
	return result.Window{
		T: result.Num(t), D: 1, Load: "*", Step: "*", Offered: offered, OK: offered - failed, Error: failed, P95: p95,
	}
}

func TestOf(t *testing.T) {
	r := &result.Result{Duration: 6, Windows: []result.Window{
		second(0, 100, 0, .001), second(1, 100, 50, result.NaN), second(2, 100, 10, .1), second(3, 0, 0, result.NaN),
		second(5, 100, 0, .01),
		{T: 0, D: 1, Load: "a", Step: "*", Offered: 7, P95: 5},
	}}
	inf, nan := math.Inf(1), math.NaN()
	for _, tt := range []struct {
		name     string
		columns  int
		from, to float64
		p95, bad []float64
	}{
		{"a column for each window", 6, 0, 6, []float64{.001, inf, .1, nan, nan, .01}, []float64{0, .5, .1, nan, nan, 0}},
		{"two for each", 4, 1, 3, []float64{inf, inf, .1, .1}, []float64{.5, .5, .1, .1}},
		{"the worst of two", 3, 0, 6, []float64{inf, .1, .01}, []float64{.25, .1, 0}},
		{"a part of the run", 2, 1, 3, []float64{inf, .1}, []float64{.5, .1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := chart.SparkSeriesOf(r, "*", "*", tt.from, tt.to, tt.columns)
			if !same(c.P95, tt.p95) || !same(c.Bad, tt.bad) {
				t.Errorf("p95 %v, bad %v; want %v, %v", c.P95, c.Bad, tt.p95, tt.bad)
			}
			if c.Worst != .5 {
				t.Errorf("at most %v failed in a second, want 0.5 however many columns there are", c.Worst)
			}
		})
	}
	if c := chart.SparkSeriesOf(r, "*", "*", 10, 20, 9); c != nil {
		t.Errorf("a stretch without a window has %+v", c)
	}
}

func same(a, b []float64) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && math.Abs(a[i]-b[i]) > 1e-9 && !(math.IsNaN(a[i]) && math.IsNaN(b[i])) {
			return false
		}
	}
	return true
}

func TestSeries_Paths(t *testing.T) {
	c := &chart.SparkSeries{From: 0, To: 4, P95: []float64{1, 1, math.NaN(), 2}, Bad: []float64{0, .5, math.NaN(), 1}}
	s := chart.Scale{Hi: 2}
	for _, tt := range []struct{ name, got, want string }{
		{"a line has a gap where nothing is known", c.Line(c.P95, s), "M0 50H500M750 0H1000"},
		{
			"an area has none where nothing failed", c.Area(c.Bad, chart.Scale{Hi: 1}),
			"M250 100V50H500V100zM750 100V0H1000V100z",
		},
		{"a level over a part", c.Level(1, 9, .5, s), "M250 75H1000"},
		{"a level elsewhere", c.Level(5, 9, .5, s), ""},
		{"a stretch", c.Rect(-3, 1), "M0 0H250V100H0z"},
		{"an instant is seen", c.Rect(2, 2), "M500 0H501V100H500z"},
		{"a stretch without end", c.Rect(2, math.NaN()), ""},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, tt.got, tt.want)
		}
	}
}

// TestRows: the rows of a terminal have a character for each column, with the faults where they were.
func TestRows(t *testing.T) {
	r := &result.Result{Duration: 10, Faults: []result.FaultRecord{
		{Injected: 2, Cleared: 4.5}, {Injected: 8, Cleared: result.NaN}, {Injected: result.NaN, Cleared: result.NaN},
	}}
	for i := range 10 {
		w := second(i, 100, 0, .01)
		if i == 3 {
			w = second(i, 100, 100, result.NaN)
		}
		r.Windows = append(r.Windows, w)
	}
	r.Windows[4].P95 = .1
	rows, each := chart.SparkRows(r, 60)
	want := []chart.SparkRow{
		{"p95", "▂▂▂█▇▂▂▂▂▂", "10ms to 100ms"},
		{"failed", "   █      ", "at most 100%"},
		{"faults", "  1──   2─", ""},
	}
	if each != "1s" || len(rows) != len(want) {
		t.Fatalf("%d rows of %s", len(rows), each)
	}
	for i := range want {
		if rows[i] != want[i] {
			t.Errorf("row %q, want %q", rows[i], want[i])
		}
	}
	for name, r := range reporterstest.Results() { // whatever the run
		rows, _ := chart.SparkRows(r, 40)
		for _, row := range rows {
			if n := len([]rune(row.Bars)); n != len([]rune(rows[0].Bars)) || n > 40 {
				t.Errorf("%s: %s has %d columns", name, row.Name, n)
			}
		}
	}
}

// TestOf_Worst: windows that are cut at a fault count by the second that they are parts of.
func TestOf_Worst(t *testing.T) {
	r := &result.Result{Duration: 2, Windows: []result.Window{
		{T: 0, D: .98, Load: "*", Step: "*", Offered: 98, OK: 98},
		{T: .98, D: .02, Load: "*", Step: "*", Offered: 2, Error: 2},
		second(1, 100, 1, .01),
	}}
	if c := chart.SparkSeriesOf(r, "*", "*", 0, 2, 90); c.Worst != .02 {
		t.Errorf("at most %v, want 0.02", c.Worst)
	}
}
