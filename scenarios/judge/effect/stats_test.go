package effect

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// TestTails compares the tails with sums of binomial probabilities.
func TestTails(t *testing.T) {
	choose := func(n, k int) float64 {
		l := 1.0
		for i := range k {
			l *= float64(n-i) / float64(i+1)
		}
		return l
	}
	for _, n := range []int{1, 5, 20, 60} {
		for _, p := range []float64{.01, .3, .9} {
			for k := 0; k <= n; k++ {
				want := 0.0
				for i := k; i <= n; i++ {
					want += choose(n, i) * math.Pow(p, float64(i)) * math.Pow(1-p, float64(n-i))
				}
				if got := UpperTail(float64(k), float64(n), p); math.Abs(got-want) > 1e-9 {
					t.Errorf("P(X >= %d) of %d with %g is %g, want %g", k, n, p, got, want)
				}
				if got, want := lowerTail(float64(k), float64(n), p),
					1-want+choose(n, k)*math.Pow(p, float64(k))*math.Pow(1-p, float64(n-k)); math.Abs(got-want) > 1e-9 {
					t.Errorf("P(X <= %d) of %d with %g is %g, want %g", k, n, p, got, want)
				}
			}
		}
	}
	for _, c := range []struct{ k, n, p, want float64 }{
		{0, 5, .1, 1}, {6, 5, .1, 0}, {1, 5, 0, 0}, {1, 5, 1, 1}, {-1, 5, .5, 1},
	} {
		if got := UpperTail(c.k, c.n, c.p); got != c.want {
			t.Errorf("UpperTail(%g, %g, %g) = %g, want %g", c.k, c.n, c.p, got, c.want)
		}
	}
}

// TestBounds: a share at its bound has the probability 1 - Confidence.
func TestBounds(t *testing.T) {
	for _, n := range []float64{1, 10, 299, 5000} {
		for _, k := range []float64{0, 1, 3, 10, 150, 299} {
			if k > n {
				continue
			}
			if b := UpperBound(k, n, .95); k < n && math.Abs(lowerTail(k, n, b)-.05) > 1e-6 || k == n && b != 1 {
				t.Errorf("upper bound of %g of %g: %g", k, n, b)
			}
			if b := LowerBound(k, n, .95); k > 0 && math.Abs(UpperTail(k, n, b)-.05) > 1e-6 || k == 0 && b != 0 {
				t.Errorf("lower bound of %g of %g: %g", k, n, b)
			}
		}
	}
	if UpperBound(0, 0, .95) != 1 || LowerBound(0, 0, .95) != 0 {
		t.Error("of nothing anything is possible")
	}
	if b := UpperBound(0, 299, .95); b > .01 {
		t.Errorf("none of 299 shows %g, not 1 %%", b)
	}
	if b := UpperBound(0, 298, .95); b <= .01 {
		t.Errorf("none of 298 shows %g", b)
	}
}

func TestEnoughFor(t *testing.T) {
	for limit, want := range map[float64]int64{
		.01: 299, .0001: 29956, .001: 2995, .5: 5, 1: 1, 2: 1, 0: math.MaxInt64, -1: math.MaxInt64,
	} {
		if got := EnoughFor(limit); got != want {
			t.Errorf("%g needs %d, want %d", limit, got, want)
		}
	}
	for q, want := range map[float64]int64{.5: 20, .9: 100, .95: 200, .99: 1000, .999: 10000, .9999: 100000} {
		if got := EnoughForQuantile(q); got != want {
			t.Errorf("p%g needs %d, want %d", 100*q, got, want)
		}
	}
}

func TestStudent(t *testing.T) {
	for freedom, want := range map[float64]float64{1: 12.706205, 9: 2.262157, 29: 2.045230, 1e6: Normal975} {
		if got := Student(freedom); math.Abs(got-want) > 1e-5 {
			t.Errorf("t of %g is %g, want %g", freedom, got, want)
		}
	}
}

func TestDispersion(t *testing.T) {
	for _, c := range []struct {
		name   string
		counts []float64
		want   float64
	}{
		{"nothing", nil, 1},
		{"one", []float64{5}, 1},
		{"no errors", []float64{0, 0, 0}, 1},
		{"more even than chance", []float64{3, 3, 3, 3}, 1},
		{"one cluster of 20 in 10", []float64{0, 0, 0, 20, 0, 0, 0, 0, 0, 0}, 20},
	} {
		if got := dispersion(c.counts); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %g, want %g", c.name, got, c.want)
		}
	}
	spread := make([]float64, 80) // clusters of four that take four seconds each
	for i := range spread {
		if i%16 < 4 {
			spread[i] = 1
		}
	}
	if got := widest(spread); got < 2.9 {
		t.Errorf("clusters over four seconds: %g", got)
	}
}

func TestSmallest(t *testing.T) {
	for _, c := range []struct {
		rate, limit float64
		outage      time.Duration
		share       float64
		window      time.Duration
	}{
		{1000, .01, 76 * ms, .019, sec},
		{100, .01, 130 * ms, .024, 5 * sec},
		{10, .01, 1200 * ms, .024, 50 * sec},
		{1, .01, 12 * sec, .024, 500 * sec},
	} {
		outage, share, window := Smallest(c.rate, c.limit)
		if d := float64(outage) / float64(c.outage); d < .9 || d > 1.1 || math.Abs(share-c.share) > .0015 ||
			window != c.window {
			t.Errorf("%g/s: %s, %g, %s; want about %s, %g, %s", c.rate, outage, share, window, c.outage, c.share, c.window)
		}
	}
}

// TestLowerRank: chance alone makes a generator look late once in 20 times at most, where the p99 of
// a small sample does so every fourth time; a late generator is detected.
func TestLowerRank(t *testing.T) {
	const trials = 2000
	rng := rand.New(rand.NewPCG(1, 2))
	late := func(n int, share float64) (bound, naive float64) {
		for range trials {
			k := 0
			for range n {
				if rng.Float64() < share {
					k++
				}
			}
			rank := func(q float64) int { return max(1, int(math.Ceil(q*float64(n)))) } // as Tally.quantile computes it
			if rank(LowerRank(int64(n), .99)) > n-k {
				bound++
			}
			if rank(.99) > n-k {
				naive++
			}
		}
		return bound / trials, naive / trials
	}
	for _, n := range []int{1, 5, 50, 100, 300, 1500, 10000} {
		if bound, _ := late(n, .01); bound > .06 {
			t.Errorf("%d samples, of which 1 %% are late: taken for late in %g of the trials", n, bound)
		}
	}
	if bound, naive := late(50, .005); bound > .01 || naive < .15 {
		t.Errorf("50 samples, 0.5 %% late: %g by the bound, %g by the percentile", bound, naive)
	}
	for n, want := range map[int]float64{100: .65, 300: .99, 1500: 1} {
		if bound, _ := late(n, .05); bound < want {
			t.Errorf("%d samples, 5 %% late: seen in %g", n, bound)
		}
	}
}
