package compare

import (
	"math"
	"math/rand/v2"
	"slices"

	"brunt/scenarios/statistics"
)

// The significance levels of Hunter. Divisions are first searched with a lenient level, because a level that goes up
// and down again hides its ends. A division stays if the neighbouring levels clearly differ.
const (
	weak   = .1    // for a division to be considered
	strong = .0005 // for it to stay, by Welch's test, if one series is examined
)

// changes finds where a series moved to another level. It divides the series hierarchically with the energy
// statistic, and tests each division against permutations of its segment (Matteson and James, A Nonparametric
// Approach for Multiple Change Point Analysis of Multivariate Data, JASA 2014, with alpha = 1). Then it merges levels
// that do not differ enough (Fleming et al., Hunter: Using Change Point Detection to Hunt for Performance
// Regressions, ICPE 2023).
//
// It returns the first index of each new level, in order. Levels have at least least values, two or more. Values must
// be finite. Of is the number of series that one answer is based on; they share the significance level (Bonferroni).
//
// Neighbouring runs of a history are correlated: they share the day, the machine and the state of caches. Levels are
// therefore compared with the variance that a mean of correlated values has, see [neighbours]. Of simulated series
// without a move, at most 5 % move if the correlation of neighbours is 0 to 0.8.
func changes(series []float64, least, of int, r *rand.Rand) []int {
	cuts := []int{0, len(series)}
	for {
		at, q := -1, 0.0
		var whole []float64
		for i := range len(cuts) - 1 {
			seg := series[cuts[i]:cuts[i+1]]
			if k, stat := division(seg, least); k > 0 && stat > q {
				at, q, whole = cuts[i]+k, stat, seg
			}
		}
		if at < 0 || !shown(whole, q, least, r) {
			return merged(series, cuts, strong/float64(of))
		}
		cuts = append(cuts, at)
		slices.Sort(cuts)
	}
}

// merged removes the cut whose levels differ least, again and again, until all remaining levels differ by more than
// chance.
func merged(series []float64, cuts []int, chance float64) []int {
	for len(cuts) > 2 {
		rho := neighbours(series, cuts)
		worst, p := 0, chance
		for i := 1; i < len(cuts)-1; i++ {
			e := welch(series[cuts[i-1]:cuts[i]], series[cuts[i]:cuts[i+1]], resolution).dependent(rho)
			e.mean = math.Abs(e.mean)
			if two := 2 * e.p(); two > p {
				worst, p = i, two
			}
		}
		if worst == 0 {
			break
		}
		cuts = slices.Delete(cuts, worst, worst+1)
	}
	if len(cuts) == 2 {
		return nil
	}
	return cuts[1 : len(cuts)-1]
}

// mostDependent is the upper limit of the estimated correlation. Above it no level could be distinguished from noise.
const mostDependent = .95

// neighbours estimates the correlation of neighbouring values around their levels, between 0 and [mostDependent].
// Removing the mean of n values lowers the estimate by (1+3ρ)/n (Kendall, Note on bias in the estimation of
// autocorrelation, Biometrika 1954; Marriott and Pope, same volume). This is added again, with the mean length of a
// level as n.
func neighbours(series []float64, cuts []int) float64 {
	var products, squares float64
	for i := range len(cuts) - 1 {
		level := series[cuts[i]:cuts[i+1]]
		mean := statistics.Mean(level)
		for j, x := range level {
			squares += (x - mean) * (x - mean)
			if j > 0 {
				products += (x - mean) * (level[j-1] - mean)
			}
		}
	}
	if squares == 0 {
		return 0
	}
	n := float64(len(series)) / float64(len(cuts)-1)
	rho := products / squares
	if n > 3 {
		rho = (n*rho + 1) / (n - 3)
	}
	return min(max(rho, 0), mostDependent)
}

const permutations = 199

// shown reports whether a division is better than a division of shuffled values.
func shown(segment []float64, q float64, least int, r *rand.Rand) bool {
	mixed := slices.Clone(segment)
	above := 0
	for n := 0; n < permutations && float64(above+1) <= weak*(permutations+1); n++ { // while it may still be significant
		r.Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
		if _, stat := division(mixed, least); stat >= q {
			above++
		}
	}
	return float64(above+1)/float64(permutations+1) <= weak
}

// division finds the best division of a segment into two parts, before k and from k on. Its time grows with the
// square of the segment's length.
func division(x []float64, least int) (k int, q float64) {
	n := len(x)
	if n < 2*least {
		return 0, 0
	}
	var left, right, between float64 // sums of distances within the parts, and between them
	for i := range x {
		for j := range i {
			right += math.Abs(x[i] - x[j])
		}
	}
	for m := 1; m <= n-least; m++ { // x[m-1] moves from right to left
		v := x[m-1]
		var toLeft, toRight float64
		for _, y := range x[:m-1] {
			toLeft += math.Abs(v - y)
		}
		for _, y := range x[m:] {
			toRight += math.Abs(v - y)
		}
		left += toLeft
		right -= toRight
		between += toRight - toLeft
		if m < least {
			continue
		}
		a, b := float64(m), float64(n-m)
		e := 2*between/(a*b) - pairsMean(left, a) - pairsMean(right, b)
		if stat := a * b / (a + b) * e; stat > q {
			k, q = m, stat
		}
	}
	return k, q
}

// pairsMean is the mean distance between two of n values.
func pairsMean(sum, n float64) float64 {
	if n < 2 {
		return 0
	}
	return sum / (n * (n - 1) / 2)
}
