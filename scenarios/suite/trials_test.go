package suite_test

import (
	"fmt"
	"testing"

	"brunt/scenarios/suite"
)

// TestOneIn: n turns in a row play each cell once, and BRUNT_FULL=1 plays all of them at once.
func TestOneIn(t *testing.T) {
	t.Setenv(suite.FullVariable, "")
	const cells, n = 7, 3
	var played [cells]int
	for turn := range n {
		t.Setenv("BRUNT_TURN", fmt.Sprint(40+turn))
		mine := suite.OneIn(n)
		for i := range played {
			if mine() {
				played[i]++
			}
		}
	}
	t.Setenv(suite.FullVariable, "1")
	mine := suite.OneIn(n)
	for i, times := range played {
		if times != 1 || !mine() {
			t.Errorf("cell %d is played %d times in %d turns, want once, and always in full", i, times, n)
		}
	}
}

// TestTrials: a simulation is played whole with BRUNT_FULL=1, and elsewhere often enough for a gross mistake.
func TestTrials(t *testing.T) {
	for _, c := range []struct {
		full      string
		n, trials int
	}{{"1", 1000, 1000}, {"", 1000, 100}, {"", 200, 30}, {"", 20, 20}} {
		t.Setenv(suite.FullVariable, c.full)
		if testing.Short() && c.full == "" {
			continue
		}
		if got := suite.Trials(c.n); got != c.trials {
			t.Errorf("BRUNT_FULL=%s: %d of %d trials, want %d", c.full, got, c.n, c.trials)
		}
	}
}

// TestLong: a long test runs in one turn of four, with BRUNT_FULL=1, and never without either.
func TestLong(t *testing.T) {
	for _, c := range []struct {
		full, turn string
		ran        int // of four turns
	}{{"1", "", 4}, {"", "", 0}, {"", "turns", 1}} {
		ran := 0
		for turn := range 4 {
			t.Setenv(suite.FullVariable, c.full)
			t.Setenv("BRUNT_TURN", "")
			if c.turn != "" {
				t.Setenv("BRUNT_TURN", fmt.Sprint(turn))
			}
			skipped := false
			if suite.Long(named{t, &skipped}); !skipped {
				ran++
			}
		}
		if ran != c.ran {
			t.Errorf("BRUNT_FULL=%s, BRUNT_TURN=%s: it ran %d times, want %d", c.full, c.turn, ran, c.ran)
		}
	}
}

// named has the same name in each turn, and notes that it is skipped.
type named struct {
	testing.TB
	skipped *bool
}

func (named) Name() string { return "TestIt" }

func (n named) Skip(...any) { *n.skipped = true }
