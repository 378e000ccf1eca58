package effect

import (
	"math"

	"brunt/scenarios/statistics"

	"gonum.org/v1/gonum/mathext"
)

// UpperTail returns P(X >= k) of a binomial distribution with n trials and probability p, by the regularised
// incomplete beta function: I_p(k, n-k+1). It accepts fractional counts, such as counts divided by a dispersion.
func UpperTail(k, n, p float64) float64 {
	switch {
	case k <= 0:
		return 1
	case k > n:
		return 0
	case p <= 0:
		return 0
	case p >= 1:
		return 1
	}
	return mathext.RegIncBeta(k, n-k+1, p)
}

// lowerTail returns P(X <= k) of the same distribution.
func lowerTail(k, n, p float64) float64 { return 1 - UpperTail(k+1, n, p) }

// UpperBound returns the one-sided upper confidence bound of the proportion k/n (Clopper and Pearson, 1934).
func UpperBound(k, n, confidence float64) float64 {
	if n <= 0 || k >= n {
		return 1
	}
	if k <= 0 {
		return 1 - math.Pow(1-confidence, 1/n)
	}
	return mathext.InvRegIncBeta(k+1, n-k, confidence)
}

// LowerBound returns the one-sided lower confidence bound of the proportion k/n (Clopper and Pearson, 1934).
func LowerBound(k, n, confidence float64) float64 {
	if n <= 0 || k <= 0 {
		return 0
	}
	if k >= n {
		return math.Pow(1-confidence, 1/n)
	}
	return mathext.InvRegIncBeta(k, n-k+1, 1-confidence)
}

// Confidence is the confidence level of every bound and interval.
const Confidence = 0.95

// Normal975 is the 97.5 % quantile of the normal distribution.
const Normal975 = 1.959963984540054

// Student returns the 97.5 % quantile of Student's t distribution.
func Student(freedom float64) float64 {
	return statistics.Student(freedom).Quantile(1 - (1-Confidence)/2)
}

// LowerRank returns the sample quantile, of n samples, that is a 95 % lower bound of the quantile q of their
// distribution (order statistics: Conover, Practical Nonparametric Statistics, 3.2).
func LowerRank(n int64, q float64) float64 {
	above := max(1, int64(float64(n)*(1-q)))
	for above < n && UpperTail(float64(above), float64(n), 1-q) > .05 {
		above++
	}
	return max(0, (float64(n-above)+.5)/float64(n))
}

// EnoughFor returns the least number of requests that can show a share to be under limit: n >= ln 0.05 / ln(1-limit),
// the exact form of the rule of three. That is 299 for 1 % and 29 956 for 0.01 %.
func EnoughFor(limit float64) int64 {
	if limit <= 0 {
		return math.MaxInt64
	}
	if limit >= 1 {
		return 1
	}
	return int64(math.Ceil(math.Log(1-Confidence) / math.Log1p(-limit)))
}

// EnoughOccurrences returns the least number of occurrences that show that at least a share of all occurrences meets a
// target, if missed of them miss it: the exact 95 % lower bound of the share that meets it is then at least share. With
// none missed that is n >= ln 0.05 / ln(share): 29 for 90 % and 59 for 95 %. Zero means that a million are not enough.
func EnoughOccurrences(share float64, missed int64) int64 {
	most := int64(1_000_000)
	shows := func(n int64) bool { return LowerBound(float64(n-missed), float64(n), Confidence) >= share }
	if share >= 1 || missed >= most || !shows(most) {
		return 0
	}
	low, high := missed, most // more occurrences with as many misses show more
	for high-low > 1 {
		if middle := (low + high) / 2; shows(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}

// beyond is the number of requests that must lie above a percentile for it to be judged.
const beyond = 10

// EnoughForQuantile returns the number of requests of which ten lie above quantile q. It ignores the rounding error
// of q as a binary fraction.
func EnoughForQuantile(q float64) int64 {
	return int64(math.Ceil(beyond/(1-q)*(1-1e-9) - 1e-9))
}
