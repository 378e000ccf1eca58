package chart

import (
	"math"
	"strings"
	"testing"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

func TestScale(t *testing.T) {
	inf := math.Inf(1)
	tests := []struct {
		name  string
		s     Scale
		ticks string
	}{
		{"from zero", Linear([]float64{3, math.NaN(), 97}), "0 50 100 150"},
		{"nothing", Linear(nil), "0 0.5 1 1.5"},
		{"infinite is not an end", Linear([]float64{1, inf}), "0 0.5 1 1.5"},
		{"shares", Share([]float64{0, .02, 1}), "0 0.25 0.5 0.75 1"},
		{"small shares", Share([]float64{0, .07}), "0 0.02 0.04 0.06 0.08"},
		{"shares beyond the whole", Share([]float64{0, 1.2}), "0 0.5 1 1.5"},
		{"settings", Within([]float64{.025, .2, .6}), "0 0.2 0.4 0.6"},
		{"a setting of nothing", Within(nil), "0 0.5 1"},
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
	if _, ok := Log([]float64{0, math.NaN(), inf}); ok {
		t.Error("a logarithmic scale without a value")
	}
}

func mustLog(t *testing.T, values ...float64) Scale {
	t.Helper()
	s, ok := Log(values)
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
		scales := []Scale{Linear([]float64{a, b}), Within([]float64{a, b}), Share([]float64{a, b})}
		if s, ok := Log([]float64{a, b}); ok {
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
