package statistics

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// A normalSample is a sample of n values of one normal distribution. Its deviations are ratios of the sample's standard
// deviation to the true one, whose weights are their density: chi of n-1 degrees of freedom, over the square root of
// n-1.
type normalSample struct {
	n                   float64
	deviations, weights []float64
}

// points is the number of points of the integrals over deviations. With it factors of tolerance agree with published
// tables to a thousandth; see the tests.
const points = 600

func newNormalSample(n int) normalSample {
	s := normalSample{n: float64(n)}
	freedom := s.n - 1
	low, high := max(0, 1-7/math.Sqrt(2*freedom)), 1+7/math.Sqrt(2*freedom)
	sum := 0.
	for i := range points {
		d := low + (float64(i)+.5)/points*(high-low)
		// the constant factor of the density is left out, as the weights are divided by their sum
		w := math.Exp((freedom-1)*math.Log(d) - freedom*(d*d-1)/2)
		s.deviations, s.weights, sum = append(s.deviations, d), append(s.weights, w), sum+w
	}
	for i := range s.weights {
		s.weights[i] /= sum
	}
	return s
}

// covers returns the probability that the mean of a sample plus k of its standard deviations is at least z true
// deviations above the true mean. That is a distribution of noncentral t.
func (s normalSample) covers(k, z float64) float64 {
	sum := 0.
	for i, d := range s.deviations {
		sum += s.weights[i] * NormalSurvival(math.Sqrt(s.n)*(z-k*d))
	}
	return sum
}

// bisect returns the place between low and high at which rising turns from false to true.
func bisect(low, high float64, rising func(float64) bool) float64 {
	for range 50 {
		if middle := (low + high) / 2; rising(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return high
}

// The ends of the searches below, in standard deviations.
const (
	mostAway   = 40
	mostFactor = 1e6
)

// NormalAbove returns the upper bound, with confidence 1-alpha, of the share of a normal distribution that lies above
// a limit. The limit is k standard deviations above the mean of a sample of n values, two or more, by the sample's own
// mean and deviation. It is the exact bound by the distribution of noncentral t (Owen, A survey of properties and
// applications of the noncentral t-distribution, Technometrics 1968).
func NormalAbove(k float64, n int, alpha float64) float64 {
	if n < 2 || math.IsNaN(k) {
		return 1
	}
	s := newNormalSample(n)
	return NormalSurvival(bisect(-mostAway, mostAway, func(z float64) bool { return s.covers(k, z) <= 1-alpha }))
}

// NormalFactor returns the factor k for which [NormalAbove] is a share: a limit of k standard deviations above the
// mean of n values is exceeded by at most that share of the distribution, with confidence 1-alpha. It is the factor of
// one-sided tolerance limits; infinite for fewer than two values.
func NormalFactor(n int, share, alpha float64) float64 {
	if n < 2 {
		return math.Inf(1)
	}
	s := newNormalSample(n)
	z := mathext.NormalQuantile(1 - share)
	return bisect(-mostFactor, mostFactor, func(k float64) bool { return s.covers(k, z) >= 1-alpha })
}
