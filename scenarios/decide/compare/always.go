package compare

import (
	"math"

	"brunt/scenarios/statistics"
)

// The bounds of a mean difference in this file hold at all times together: a comparison may be looked at after each
// pair, and ends with the first answer.

// slab is the variance of the size of an effect before anything is measured, in units of the variance of
// one pair of blocks: the bounds are narrowest after about eight pairs.
const slab = 1.0

// evidence is the e-value of n differences against a mean of zero, for a greater mean: how many times more
// probable they are under an effect whose size has a half-normal distribution of variance [slab]. T is Student's
// t of the differences. The standard deviation is unknown; its invariant prior makes the ratio a function of
// t alone, and a martingale where the mean is zero, so that by Ville's inequality it exceeds 1/alpha with
// probability alpha at most, at any time (Lai, On confidence sequences, Annals of Statistics 1976; Wang and Ramdas,
// Anytime-valid t-tests and confidence sequences for Gaussian means with unknown variance, Sequential Analysis
// 2025; Pérez-Ortiz, Lardy, de Heide and Grünwald, E-statistics, group invariance and anytime-valid testing,
// Annals of Statistics 2024). Differences need not be normal: the order of each pair is drawn, so they are
// symmetric, for which Student's t is conservative (Efron, Student's t-test under symmetry conditions, 1969), but for
// few: the e-value is at most 2ⁿ, that of n equal signs.
func evidence(t, n float64) float64 {
	shrunk := 1 + n*slab
	null, effect := n-1+t*t, n-1+t*t/shrunk // sums of squares in units of the variance
	// The posterior of the mean is Student's t with n degrees of freedom.
	location, scale := n*slab/shrunk*t/math.Sqrt(n), math.Sqrt(slab/shrunk*effect/n)
	positive := statistics.Student(n).CDF(location / scale)
	return math.Min(math.Pow(2, n), 2*positive*math.Exp(-math.Log(shrunk)/2+n/2*math.Log(null/effect)))
}

// reach is how many standard errors a bound of level alpha lies from the mean of n differences; infinite
// where n are too few for any bound.
func reach(n, alpha float64) float64 {
	low, high := 0.0, 1e6
	if evidence(high, n) < 1/alpha {
		return math.Inf(1)
	}
	for high-low > 1e-9*math.Max(1, low) {
		if middle := (low + high) / 2; evidence(middle, n) < 1/alpha {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}
