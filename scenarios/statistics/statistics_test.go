package statistics_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"brunt/scenarios/statistics"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

func near(a, b float64) bool {
	return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= 1e-9*math.Max(math.Abs(a), math.Abs(b))
}

// TestMoments compares with gonum's stat, for values whose mean hides their spread as well.
func TestMoments(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := 1; n < 40; n++ {
		for _, offset := range []float64{0, 1, -1e7} {
			values := make([]float64, n)
			for i := range values {
				values[i] = offset + r.NormFloat64()
			}
			wantMean, wantDev := stat.MeanStdDev(values, nil)
			mean, dev := statistics.MeanDeviation(values)
			if !near(mean, wantMean) || !near(dev, wantDev) || !near(statistics.Variance(values), stat.Variance(values, nil)) {
				t.Errorf("%d values at %g: mean %v and deviation %v, want %v and %v", n, offset, mean, dev, wantMean, wantDev)
			}
			slices.Sort(values)
			if got, want := statistics.Median(values), stat.Quantile(.5, stat.Empirical, values, nil); got != want {
				t.Errorf("%d values at %g: median %v, want %v", n, offset, got, want)
			}
		}
	}
}

// TestStudent compares with gonum's distuv.
func TestStudent(t *testing.T) {
	for _, freedom := range []float64{1, 1.5, 2, 5, 9.7, 30, 400} {
		want := distuv.StudentsT{Sigma: 1, Nu: freedom}
		for _, p := range []float64{.0005, .01, .05, .3, .5, .8, .975, .999} {
			x := statistics.Student(freedom).Quantile(p)
			if y := want.Quantile(p); !near(x, y) && math.Abs(x-y) > 1e-12 {
				t.Errorf("quantile %g of %g degrees of freedom: %v, want %v", p, freedom, x, y)
			}
			if got, y := statistics.Student(freedom).Survival(x), want.Survival(x); !near(got, y) {
				t.Errorf("survival of %g with %g degrees of freedom: %v, want %v", x, freedom, got, y)
			}
			if got, y := statistics.Student(freedom).CDF(x), want.CDF(x); !near(got, y) {
				t.Errorf("CDF of %g with %g degrees of freedom: %v, want %v", x, freedom, got, y)
			}
		}
	}
	for _, x := range []float64{-3, -.5, 0, 1, 1.96, 6} {
		if got, want := statistics.NormalSurvival(x), distuv.UnitNormal.Survival(x); !near(got, want) {
			t.Errorf("survival of the normal distribution at %g: %v, want %v", x, got, want)
		}
	}
}
