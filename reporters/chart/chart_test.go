package chart

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"brunt/reporters/reporterstest"
	"brunt/reporters/words"
	"brunt/scenarios/result"
)

func evenly(n int) []span {
	out := make([]span, n)
	for i := range out {
		out[i] = span{float64(i) / float64(n), float64(i+1) / float64(n)}
	}
	return out
}

func TestTrace(t *testing.T) {
	s, nan := Scale{Hi: 10}, math.NaN()
	tests := []struct {
		name   string
		values []float64
		want   string
	}{
		{"steps", []float64{0, 10, 10, 5}, "M0 500h500v-500h1000v250h500"},
		{"a gap", []float64{0, nan, 10, nan}, "M0 500h500M1000 0h500"},
		{"infinite leaves at the top", []float64{0, math.Inf(1)}, "M0 500h1000v-500h1000"},
		{"nothing", []float64{nan, nan}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := trace(evenly(len(tt.values)), tt.values, s); got != tt.want {
				t.Errorf("got %s", got)
			}
		})
	}
	area := under(evenly(4), []float64{nan, 5, 10, nan}, s)
	if area != "M500 250h500v-250h500V500H500Z" {
		t.Errorf("area %s", area)
	}
	if many := trace(evenly(400), append([]float64{nan, 5, nan}, make([]float64, 397)...),
		s); many != "M8 250h0M18 500h1980" {
		t.Errorf("a lone point among many: %s", many)
	}
}

// One outlier among ten thousand points must be visible, whatever shares its column.
func TestTrace_KeepsOutliers(t *testing.T) {
	at := evenly(10_000)
	for _, place := range []int{0, 4321, 9999} {
		values := make([]float64, len(at))
		for i := range values {
			values[i] = 1
		}
		values[place] = 10
		path := trace(at, values, Scale{Hi: 10})
		if !strings.Contains(path, "v-450") && !strings.Contains(path, " -450") && !strings.Contains(path, "2-450") {
			t.Errorf("point %d is lost in %s", place, path)
		}
	}
}

func TestPoints(t *testing.T) {
	win := func(t, d float64, n int64, p99 result.Num) result.Window {
		return result.Window{
			T: result.Num(t), D: result.Num(d), Load: "*", Step: "*", Offered: n, OK: n, P50: p99, P95: p99, P99: p99, Max: p99,
			Lag: reporterstest.Nan, Kinds: map[string]int64{"timeout": 1},
		}
	}
	r := &result.Result{Windows: []result.Window{
		win(1, .002, 1, 9), win(1.002, .998, 99, .5),
		{T: 1, D: 1, Load: "browse", Step: "read", Offered: 5},
		win(0, 1, 100, .1), win(2, .4, 40, .2), win(2.4, .6, 60, reporterstest.Nan), win(3, 1, 0, reporterstest.Nan),
	}}
	list, together := Points(r)
	var got strings.Builder
	for _, p := range list {
		got.WriteString(fmt.Sprintf("%v+%v: %d %v %d; ", p.t, p.d, p.offered, p.P99, p.kinds["timeout"]))
	}
	if want := "0+1: 100 0.1 1; 1+1: 100 0.5 2; 2+0.4: 40 0.2 1; 2.4+0.6: 60 +Inf 1; 3+1: 0 NaN 1; "; got.String() != want || together != 1 {
		t.Errorf("got %s %d", got.String(), together)
	}
	r.Windows = nil
	for i := range mostPoints + 1 {
		r.Windows = append(r.Windows, win(float64(i), 1, 1, result.Num(i%2)))
	}
	list, together = Points(r)
	if together != 2 || len(list) != mostPoints/2+1 || list[7].P99 != 1 || list[7].offered != 2 || list[7].d != 2 {
		t.Errorf("%d points of %d: %+v", len(list), together, list[7])
	}
}

// TestLanes_Recovered: a fault has a mark of its recovery unless it made the load slower alone.
func TestLanes_Recovered(t *testing.T) {
	f := result.FaultRecord{Name: "f", Injected: 20, Cleared: 40, OnsetAt: 20, RecoveredAt: 20, Impact: result.Impacted}
	slower := f
	slower.OnsetAt, slower.Parts = reporterstest.Nan, &result.ImpactParts{Requests: 800, Slowed: true}
	for _, tt := range []struct {
		f    result.FaultRecord
		want bool
	}{{f, true}, {slower, false}} {
		line := NewTimeline(&result.Result{Duration: 60, Faults: []result.FaultRecord{tt.f}}, nil, Places{})
		if it := line.lanes[0].Items[0]; (it.Recovered != "") != tt.want {
			t.Errorf("%+v, want a mark: %t", it, tt.want)
		}
	}
}

func TestLanes_LabelsDoNotOverlap(t *testing.T) {
	for _, n := range []int{1, 3, 12, 40, 200} {
		r := &result.Result{Duration: 1000}
		for i := range n {
			at := result.Num(float64(i) * 900 / float64(n))
			r.Faults = append(r.Faults, result.FaultRecord{
				Name: "f", Injected: at, Cleared: at + 40, OnsetAt: reporterstest.Nan, RecoveredAt: reporterstest.Nan,
			})
		}
		line := NewTimeline(r, nil, Places{})
		seen := 0
		for _, l := range line.lanes {
			last := -1.0
			for _, it := range l.Items {
				if it.start < last {
					t.Errorf("%d faults: a label at %v after one at %v", n, it.start, last)
				}
				last = it.start
				seen++
			}
		}
		if seen != n || len(line.lanes) > mostLanes {
			t.Errorf("%d faults: %d labels in %d lanes", n, seen, len(line.lanes))
		}
	}
}

// The curve must agree with the cells of the same phase.
func TestCurves_AgreeWithCells(t *testing.T) {
	r := reporterstest.Results()["minute"]
	list, left, err := curves(r)
	if err != nil || left != 0 || len(list) < 4 {
		t.Fatalf("%d curves, %d left, %v", len(list), left, err)
	}
	for i := range list {
		c := &list[i]
		row := words.PhaseRowOf(r, c.phase)
		for q, want := range map[float64]result.Num{
			.5: row.All.Response.P50, .9: row.All.Response.P90, .99: row.All.Response.P99,
		} {
			got := c.at(q)
			if math.IsInf(got, 1) != !want.Known() || want.Known() && (got < float64(want)*.995 || got > float64(want)*1.005) {
				t.Errorf("%s at %v: %v, want %v", c.phase, q, got, want)
			}
		}
	}
}
