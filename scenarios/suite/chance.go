package suite

import "math"

// Chance returns how many of n independent trials succeed, each with probability p. Fewer than least succeed with a
// probability of at most 2.5 %, and so do more than most. The probabilities are those of the binomial distribution.
func Chance(n int, p float64) (least, most int) {
	const tail = .025
	sum, each := 0., math.Pow(1-p, float64(n))
	for k := 0; ; k++ {
		if sum += each; sum <= tail {
			least = k + 1
		}
		if sum >= 1-tail || k == n {
			return least, k
		}
		each *= float64(n-k) / float64(k+1) * p / (1 - p)
	}
}
