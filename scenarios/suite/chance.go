package suite

import "math"

// Chance returns how many of n independent trials succeed, each with probability p. Fewer than least succeed with a
// probability of at most 2.5 %, and so do more than most. The probabilities are those of the binomial distribution.
func Chance(n int, p float64) (least, most int) {
	const tail = .025
	sum := 0.
	for k := 0; ; k++ {
		each := logChoose(n, k) + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p) // (1-p)^n can be too small for a float
		if sum += math.Exp(each); sum <= tail {
			least = k + 1
		}
		if sum >= 1-tail || k == n {
			return least, k
		}
	}
}

// logChoose returns the logarithm of the number of ways to choose k of n.
func logChoose(n, k int) float64 {
	of := func(n int) float64 { l, _ := math.Lgamma(float64(n + 1)); return l }
	return of(n) - of(k) - of(n-k)
}
