package statistics_test

import (
	"math"
	"math/big"
	"testing"

	"brunt/scenarios/statistics"
)

// TestFisherGreater compares with exact fractions, and with the value of Fisher's lady tasting tea: 1 of 70.
func TestFisherGreater(t *testing.T) {
	exact := func(k, n, rest, m int64) float64 {
		all, sum := new(big.Int).Binomial(n+m, k+rest), new(big.Int)
		for i := k; i <= min(n, k+rest); i++ {
			if k+rest-i <= m {
				sum.Add(sum, new(big.Int).Mul(new(big.Int).Binomial(n, i), new(big.Int).Binomial(m, k+rest-i)))
			}
		}
		p, _ := new(big.Rat).SetFrac(sum, all).Float64()
		return p
	}
	if got := statistics.FisherGreater(4, 4, 0, 4); math.Abs(got-1.0/70) > 1e-12 {
		t.Errorf("the lady tasting tea: %g, want 1/70", got)
	}
	for _, c := range [][4]int64{
		{3, 10, 0, 90}, {1, 5, 5, 500}, {0, 7, 2, 7}, {40, 200, 1, 1000}, {2, 2, 0, 0}, {1, 1, 0, 0},
	} {
		got, want := statistics.FisherGreater(c[0], c[1], c[2], c[3]), exact(c[0], c[1], c[2], c[3])
		if math.Abs(got-want) > 1e-9*want+1e-15 {
			t.Errorf("%v: %g, want %g", c, got, want)
		}
	}
}
