package suite_test

import (
	"testing"

	"brunt/scenarios/suite"
)

// TestChance: the bounds are those of tables of the binomial distribution.
func TestChance(t *testing.T) {
	for _, c := range []struct {
		n           int
		p           float64
		least, most int
	}{
		{10, .5, 2, 8}, {20, .5, 6, 14}, {25, .01, 0, 2}, {50, .01, 0, 2}, {1, .5, 0, 1},
	} {
		if least, most := suite.Chance(c.n, c.p); least != c.least || most != c.most {
			t.Errorf("%d trials of %g: %d to %d, want %d to %d", c.n, c.p, least, most, c.least, c.most)
		}
	}
}
