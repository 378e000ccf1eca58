package statistics

import "math"

// FisherGreater returns the one-sided p-value of Fisher's exact test: the probability that at least k of n
// would be hit,
// and at most rest of the other m, if hits were spread by chance over all n+m (Fisher, Statistical Methods for
// Research
// Workers, 1934, section 21.02). A small value shows that the n are hit more often.
func FisherGreater(k, n, rest, m int64) float64 {
	hits := k + rest
	p := 0.0
	for i := k; i <= min(hits, n); i++ {
		if hits-i <= m {
			p += math.Exp(logChoose(n, i) + logChoose(m, hits-i) - logChoose(n+m, hits))
		}
	}
	return min(1, p)
}

// logChoose returns the logarithm of n over k.
func logChoose(n, k int64) float64 {
	log := func(x int64) float64 {
		v, _ := math.Lgamma(float64(x) + 1)
		return v
	}
	return log(n) - log(k) - log(n-k)
}
