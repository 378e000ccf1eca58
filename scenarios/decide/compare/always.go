package compare

import (
	"math"

	"brunt/scenarios/statistics"
)

// The bounds of a mean difference in this file hold at all times together: a comparison may be looked at after each
// pair, and ends with the first answer.

// slab is the prior variance of the size of an effect, in units of the variance of one pair of blocks. With 1 the
// bounds are narrowest after about eight pairs.
const slab = 1.0

// evidence returns the e-value of n differences against a mean of zero, in favor of a greater mean. It says how many
// times more probable the differences are under an effect whose size has a half-normal distribution of variance
// [slab]. T is Student's t of the differences.
//
// The standard deviation is unknown. Its invariant prior makes the ratio a function of t alone, and a martingale if
// the mean is zero. By Ville's inequality it then exceeds 1/alpha with probability alpha at most, at any time (Lai,
// On confidence sequences, Annals of Statistics 1976; Wang and Ramdas, Anytime-valid t-tests and confidence sequences
// for Gaussian means with unknown variance, Sequential Analysis 2025; Pérez-Ortiz, Lardy, de Heide and Grünwald,
// E-statistics, group invariance and anytime-valid testing, Annals of Statistics 2024).
//
// Differences need not be normal. The order of each pair is random, so they are symmetric, and for symmetric
// differences Student's t is conservative (Efron, Student's t-test under symmetry conditions, 1969). The exception is
// a small n: therefore the e-value is capped at 2ⁿ, the e-value of n equal signs.
func evidence(t, n float64) float64 {
	shrunk := 1 + n*slab
	null, effect := n-1+t*t, n-1+t*t/shrunk // sums of squares in units of the variance
	// The posterior of the mean is Student's t with n degrees of freedom.
	location, scale := n*slab/shrunk*t/math.Sqrt(n), math.Sqrt(slab/shrunk*effect/n)
	positive := statistics.Student(n).CDF(location / scale)
	return math.Min(math.Pow(2, n), 2*positive*math.Exp(-math.Log(shrunk)/2+n/2*math.Log(null/effect)))
}

// reach returns the distance between a bound of level alpha and the mean of n differences, in standard errors. It is
// infinite if n is too small for any bound.
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
