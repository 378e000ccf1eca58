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

func TestScale(t *testing.T) {
	inf := math.Inf(1)
	tests := []struct {
		name  string
		s     scale
		ticks string
	}{
		{"from zero", Linear([]float64{3, math.NaN(), 97}), "0 50 100 150"},
		{"nothing", Linear(nil), "0 0.5 1 1.5"},
		{"infinite is not an end", Linear([]float64{1, inf}), "0 0.5 1 1.5"},
		{"few decades", mustLog(t, .012, .09), "0.01 0.02 0.05 0.1"},
		{"many decades", mustLog(t, .0004, 3), "0.001 0.01 0.1 1"},
		{"one value", mustLog(t, .2), "0.1 0.2 0.5"},
		{"infinite and zero", mustLog(t, .02, 0, inf, math.NaN()), "0.01 0.02 0.05"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			last := -1.0
			for _, v := range tt.s.Ticks() {
				got = append(got, words.Number(v))
				if at := tt.s.At(v); at <= last && at != 0 {
					t.Errorf("%v lies at %v", v, at)
				} else {
					last = at
				}
			}
			if s := strings.Join(got, " "); s != tt.ticks {
				t.Errorf("ticks %s, want %s on %+v", s, tt.ticks, tt.s)
			}
			if tt.s.At(inf) != 1 || tt.s.At(tt.s.Hi) < .999 || tt.s.At(tt.s.Lo) > 1e-9 {
				t.Errorf("ends %v %v %v", tt.s.At(inf), tt.s.At(tt.s.Hi), tt.s.At(tt.s.Lo))
			}
		})
	}
	if _, ok := logarithmic([]float64{0, math.NaN(), inf}); ok {
		t.Error("a logarithmic scale without a value")
	}
}

func mustLog(t *testing.T, values ...float64) scale {
	t.Helper()
	s, ok := logarithmic(values)
	if !ok {
		t.Fatal("no scale")
	}
	return s
}

func FuzzScale(f *testing.F) {
	f.Add(1e-6, 3600.0)
	f.Add(5e-324, 1.7e308)
	f.Fuzz(func(t *testing.T, a, b float64) {
		for _, v := range []float64{a, b} {
			if v != 0 && (math.IsNaN(v) || math.Abs(v) < 1e-9 || math.Abs(v) > 1e12) {
				return
			}
		}
		scales := []scale{Linear([]float64{a, b})}
		if s, ok := logarithmic([]float64{a, b}); ok {
			scales = append(scales, s)
		}
		for _, s := range scales {
			if n := len(s.Ticks()); n < 1 || n > 30 || s.Hi <= s.Lo || b > s.Hi || a > s.Hi {
				t.Errorf("%v, %v: %d ticks on %+v", a, b, n, s)
			}
		}
	})
}

func TestTimeTicks(t *testing.T) {
	tests := []struct {
		name string
		a, b float64
		want string
	}{
		{"a minute with warm-up", -5, 60, "0s 10s 20s 30s 40s 50s 1m"},
		{"an hour", 0, 3600, "0s 5m 10m 15m 20m 25m 30m 35m 40m 45m 50m 55m 1h"},
		{"two seconds", 0, 1.7, "0s 200ms 400ms 600ms 800ms 1s 1.2s 1.4s 1.6s"},
		{"ten days", 0, 864000, "0s 24h 48h 72h 96h 120h 144h 168h 192h 216h 240h"},
		{"a year", 0, 365 * 86400, "0s 768h 1536h 2304h 3072h 3840h 4608h 5376h 6144h 6912h 7680h 8448h"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, s := range timeTicks(tt.a, tt.b, 12) {
				got = append(got, words.Offset(result.Num(s)))
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("got %s", s)
			}
		})
	}
}

func evenly(n int) []span {
	out := make([]span, n)
	for i := range out {
		out[i] = span{float64(i) / float64(n), float64(i+1) / float64(n)}
	}
	return out
}

func TestTrace(t *testing.T) {
	s, nan := scale{Hi: 10}, math.NaN()
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
	if many := trace(evenly(400), append([]float64{nan, 5, nan}, make([]float64, 397)...), s); many != "M8 250h0M18 500h1980" {
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
		path := trace(at, values, scale{Hi: 10})
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
			r.Faults = append(r.Faults, result.FaultRecord{Name: "f", Injected: at, Cleared: at + 40, OnsetAt: reporterstest.Nan, RecoveredAt: reporterstest.Nan})
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
		row := words.PhaseRowOf(words.PhaseTotals(r), c.phase)
		for q, want := range map[float64]result.Num{.5: row.All.Response.P50, .9: row.All.Response.P90, .99: row.All.Response.P99} {
			got := c.at(q)
			if math.IsInf(got, 1) != !want.Known() || want.Known() && (got < float64(want)*.995 || got > float64(want)*1.005) {
				t.Errorf("%s at %v: %v, want %v", c.phase, q, got, want)
			}
		}
	}
}
