package statistics_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"brunt/scenarios/statistics"
)

const alpha = .05

// TestShare_Level draws 2000 sequences whose true share lies just below, at, or just above the asked one. A gambler
// looks after each value, and stops with the first answer. In at most 5 % of the sequences the answer is wrong.
func TestShare_Level(t *testing.T) {
	const sequences, longest, share = 2000, 200, .9
	for _, c := range []struct {
		name  string
		truth float64
		wrong func(above, below bool) bool
	}{
		{"just below", .8999, func(above, _ bool) bool { return above }},
		{"just above", .9001, func(_, below bool) bool { return below }},
	} {
		rnd := rand.New(rand.NewPCG(38, 3))
		wrong := 0
		for range sequences {
			up, down := statistics.NewWager(share), statistics.NewWager(1-share)
			for range longest {
				x := 0.
				if rnd.Float64() < c.truth {
					x = 1
				}
				up.Add(x)
				down.Add(1 - x)
				above, below := up.Capital() >= 1/alpha, down.Capital() >= 1/alpha
				if above || below {
					if c.wrong(above, below) {
						wrong++
					}
					break
				}
			}
		}
		t.Logf("%s: %d of %d wrong", c.name, wrong, sequences)
		if wrong > sequences*alpha {
			t.Errorf("%s: %d of %d sequences end with a wrong answer, more than 5 %%", c.name, wrong, sequences)
		}
		if wrong == 0 { // such a bound would be far wider than it has to be
			t.Errorf("%s: no sequence ends with a wrong answer", c.name)
		}
	}
}

// TestShare_Power: sequences far from the asked share end, and with the right answer.
func TestShare_Power(t *testing.T) {
	const sequences, longest, share = 200, 150, .9
	for _, truth := range []float64{1, .995, .6, .2} {
		rnd := rand.New(rand.NewPCG(38, 4))
		right, took := 0, 0
		for range sequences {
			var values []float64
			for range longest {
				x := 0.
				if rnd.Float64() < truth {
					x = 1
				}
				values = append(values, x)
				above := statistics.ShareAbove(values, share) >= 1/alpha
				below := statistics.ShareBelow(values, share) >= 1/alpha
				if above || below {
					if above == (truth > share) {
						right++
					}
					break
				}
			}
			took += len(values)
		}
		t.Logf("truth %g: %d of %d right, after %.0f values on average", truth, right, sequences, float64(took)/sequences)
		if right < sequences*9/10 {
			t.Errorf("truth %g: %d of %d sequences end with the right answer", truth, right, sequences)
		}
	}
}

// TestShareLowest compares the bounds with a second formula: of n values of 1 the capital is known in closed form, half
// of it bet whole, and the rest a sum over the smaller bets.
func TestShareLowest(t *testing.T) {
	for _, n := range []int{1, 5, 24, 60} {
		values := make([]float64, n)
		for i := range values {
			values[i] = 1
		}
		low := statistics.ShareLowest(values, alpha)
		capital := math.Pow(low, -float64(n)) / 2
		for b := 1; b < 50; b++ {
			capital += math.Pow(1+float64(b)/50*(1/low-1), float64(n)) / 2 / 49
		}
		if math.Abs(capital-1/alpha) > 1e-4 {
			t.Errorf("%d values of 1: at the bound %g the capital is %g, not %g", n, low, capital, 1/alpha)
		}
		for i := range values {
			values[i] = 0
		}
		if high := statistics.ShareHighest(values, alpha); math.Abs(high-(1-low)) > 1e-6 {
			t.Errorf("%d values of 0: at most %g, want %g", n, high, 1-low)
		}
	}
	if low, high := statistics.ShareLowest(nil, alpha), statistics.ShareHighest(nil, alpha); low > 1e-6 || high < 1-1e-6 {
		t.Errorf("without values: %g to %g", low, high)
	}
}

// TestEnoughAbove: so many values of 1 as it says show the share, and one less does not.
func TestEnoughAbove(t *testing.T) {
	for _, c := range []struct {
		share  float64
		before []float64
	}{{.9, nil}, {.95, nil}, {.5, []float64{0}}, {.9, []float64{1, .5, 0, 1}}, {.99, nil}} {
		n, ok := statistics.EnoughAbove(c.before, c.share, alpha)
		if !ok || n == 0 {
			t.Fatalf("%g after %v: %d, %t", c.share, c.before, n, ok)
		}
		values := append([]float64{}, c.before...)
		for range n {
			if statistics.ShareAbove(values, c.share) >= 1/alpha {
				t.Fatalf("%g after %v: fewer than %d are enough", c.share, c.before, n)
			}
			values = append(values, 1)
		}
		if statistics.ShareAbove(values, c.share) < 1/alpha {
			t.Errorf("%g after %v: %d are not enough", c.share, c.before, n)
		}
		t.Logf("%g after %v: %d", c.share, c.before, n)
	}
}
