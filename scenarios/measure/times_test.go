package measure

import (
	"testing"
)

func TestRank(t *testing.T) {
	for _, c := range []struct {
		q    float64
		n    int64
		want int64
	}{
		{.95, 10000, 9500},
		{.95, 200, 190},
		{.5, 1, 1},
		{.01, 5, 1},
		{.99, 101, 100},
		{.999, 1000, 999},
		{99.9 / 100, 1000, 999},
		{99.9 / 100, 100_000_000, 99_900_000},
		{.95, 0, 1},
		{.999999, 10, 10},
	} {
		if got := Rank(c.q, c.n); got != c.want {
			t.Errorf("rank %g of %d is %d, want %d", c.q, c.n, got, c.want)
		}
	}
}
