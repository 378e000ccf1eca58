package chart

import (
	"fmt"
	"math"
	"testing"
)

// A reading belongs to the window in which it was taken. A window without a reading shows the
// nearer of its neighbours, and no value where none was read.
func TestTaken(t *testing.T) {
	c := &Plotter{}
	for i := range 10 {
		c.points = append(c.points, point{t: float64(i), d: 1})
	}
	no := math.NaN()
	for _, tt := range []struct {
		name string
		r    reading
		want []float64
	}{
		{
			"each second",
			reading{t: []float64{0.1, 1.1, 2.1, 3.1}, v: []float64{1, 2, 3, 4}},
			[]float64{1, 2, 3, 4, no, no, no, no, no, no},
		},
		{
			"the largest of several",
			reading{t: []float64{0.1, 0.5, 0.9, 1.3}, v: []float64{1, 7, 3, 4}},
			[]float64{7, 4, no, no, no, no, no, no, no, no},
		},
		{"every 5 s", reading{t: []float64{0, 5, 10}, v: []float64{1, 2, 3}}, []float64{1, 1, 1, 2, 2, 2, 2, 2, 3, 3}},
		{
			"not running",
			reading{t: []float64{0.1, 1.1, 2.1}, v: []float64{1, no, 3}},
			[]float64{1, no, 3, no, no, no, no, no, no, no},
		},
		{
			"a window that a fault cut",
			reading{t: []float64{0.9, 1.9, 2.9}, v: []float64{1, 2, 3}},
			[]float64{1, 2, 3, no, no, no, no, no, no, no},
		},
		{"none", reading{}, []float64{no, no, no, no, no, no, no, no, no, no}},
	} {
		if got := c.atPoints(tt.r); fmt.Sprint(got) != fmt.Sprint(tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestBinary(t *testing.T) {
	for _, tt := range []struct {
		most float64
		want string
	}{
		{70 << 20, "[0 B 20 MiB 40 MiB 60 MiB 80 MiB]"},
		{700, "[0 B 200 B 400 B 600 B 800 B]"},
		{1.3 * (1 << 30), "[0 B 512 MiB 1 GiB 1.5 GiB]"},
	} {
		var got []string
		for _, v := range binary([]float64{0, tt.most}).Ticks() {
			got = append(got, inBytes.Format(v))
		}
		if fmt.Sprint(got) != tt.want {
			t.Errorf("%v: %v, want %v", tt.most, got, tt.want)
		}
	}
}
