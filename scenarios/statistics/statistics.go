// Package statistics has the moments of samples, Student's t and the normal distribution, which comparisons of runs
// are based on, and bounds of a share that hold however often one looks. The special functions come from gonum's
// mathext. gonum's stat and distuv are not used, because they would link its linear algebra.
package statistics

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// Mean returns the arithmetic mean; NaN without values.
func Mean(values []float64) float64 {
	sum := 0.
	for _, x := range values {
		sum += x
	}
	return sum / float64(len(values))
}

// Variance returns the unbiased variance of a sample, by two passes with a correction for the rounding of the mean
// (Chan, Golub and LeVeque, Algorithms for computing the sample variance, 1983); NaN for fewer than two values.
func Variance(values []float64) float64 {
	mean := Mean(values)
	var squares, rounding float64
	for _, x := range values {
		d := x - mean
		squares, rounding = squares+d*d, rounding+d
	}
	n := float64(len(values))
	return (squares - rounding*rounding/n) / (n - 1)
}

// MeanDeviation returns the mean of a sample, and its standard deviation, the square root of [Variance].
func MeanDeviation(values []float64) (mean, deviation float64) {
	return Mean(values), math.Sqrt(Variance(values))
}

// Median returns the lower median: the smallest of sorted values that at least half of them do not exceed.
func Median(sorted []float64) float64 { return sorted[(len(sorted)-1)/2] }

// Student is the distribution of Student's t. Its value is the degrees of freedom, which need not be whole.
type Student float64

// Survival returns the probability of a value above x.
func (s Student) Survival(x float64) float64 {
	freedom := float64(s)
	tail := mathext.RegIncBeta(freedom/2, .5, freedom/(freedom+x*x)) / 2
	if x < 0 {
		return 1 - tail
	}
	return tail
}

// CDF returns the probability of a value of at most x.
func (s Student) CDF(x float64) float64 { return s.Survival(-x) }

// Quantile returns the value that is exceeded with probability 1-p, for p between 0 and 1.
func (s Student) Quantile(p float64) float64 {
	freedom := float64(s)
	x := mathext.InvRegIncBeta(freedom/2, .5, 2*min(p, 1-p))
	t := math.Sqrt(freedom * (1 - x) / x)
	if p < .5 {
		return -t
	}
	return t
}

// NormalSurvival returns the probability that a standard normal value exceeds x.
func NormalSurvival(x float64) float64 { return math.Erfc(x/math.Sqrt2) / 2 }
