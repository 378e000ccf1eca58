package suite

import (
	"math"

	"gonum.org/v1/gonum/stat/combin"
)

// Chance returns how many of n independent trials succeed, each with probability p. Fewer than least succeed with a
// probability of at most 2.5 %, and so do more than most. The probabilities are those of the binomial distribution.
func Chance(n int, p float64) (least, most int) {
	const tail = .025
	sum := 0.
	for k := 0; ; k++ {
		ways := combin.LogGeneralizedBinomial(float64(n), float64(k)) // logarithms, as (1-p)^n can be too small for a float
		if sum += math.Exp(ways + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p)); sum <= tail {
			least = k + 1
		}
		if sum >= 1-tail || k == n {
			return least, k
		}
	}
}
