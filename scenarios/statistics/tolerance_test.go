package statistics_test

import (
	"math"
	"testing"

	"brunt/scenarios/statistics"
)

// TestNormalFactor compares with the published factors of one-sided tolerance limits at 95 % confidence (Hahn and
// Meeker, Statistical Intervals, table J.7; Natrella, Experimental Statistics, table A-7).
func TestNormalFactor(t *testing.T) {
	for _, c := range []struct {
		n     int
		share float64
		want  float64
	}{
		{2, .05, 26.260},
		{3, .05, 7.656},
		{5, .05, 4.203},
		{10, .05, 2.911},
		{20, .05, 2.396},
		{5, .01, 5.741},
		{10, .01, 3.981},
		{10, .1, 2.355},
	} {
		got := statistics.NormalFactor(c.n, c.share, alpha)
		if math.Abs(got-c.want) > .002*c.want {
			t.Errorf("%d values, share %g: factor %.4f, want %.3f", c.n, c.share, got, c.want)
		}
		if back := statistics.NormalAbove(got, c.n, alpha); math.Abs(back-c.share) > 1e-4 {
			t.Errorf("%d values: the factor %.4f bounds %g, want %g", c.n, got, back, c.share)
		}
	}
	if k, p := statistics.NormalFactor(1, .05, alpha), statistics.NormalAbove(9, 1, alpha); !math.IsInf(k, 1) || p != 1 {
		t.Errorf("one value: factor %g, share %g", k, p)
	}
}
