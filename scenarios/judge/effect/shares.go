package effect

import (
	"math"
	"time"

	"brunt/scenarios/statistics"
)

// A latencyShare is the share of slow answers.
type latencyShare struct{ n, over float64 }

func (s latencyShare) share() float64 { return s.over / s.n }

func shareOf(list []LatencySlice, k int) (out latencyShare) {
	for i := range list {
		out.n += float64(list[i].N)
		out.over += float64(list[i].Above[k][latencyLimit])
	}
	return out
}

// sharesTail returns the chance that a fault without an effect has a share of slow answers as large as this, at
// percentile k. It is for baselines with too few answers for the levels of blocks. A t test on blocks compares the
// shares of answers above the limit. The variance is at least the variance of independent answers, and at least the
// variance that a first-order autoregressive process has beyond the longest block. The largest chance decides.
func sharesTail(baseline, fault []LatencySlice, k int) float64 {
	b, f, span := shareOf(baseline, k), shareOf(fault, k), spanOf(fault)
	d := f.share() - b.share()
	if d <= 0 {
		return 1
	}
	pooled := (b.over + f.over) / (b.n + f.n)
	least := pooled * (1 - pooled) * (1/b.n + 1/f.n) // of independent answers
	worst := 0.0
	for length := time.Second; ; length *= 2 {
		var list []latencyShare
		for b := range blocksOf(baseline, length) {
			list = append(list, shareOf(b, k))
		}
		if len(list) < latencyBlocks {
			if length == time.Second {
				return 1
			}
			break
		}
		n := float64(len(list))
		variance, lag1 := variances(list, b.share())
		inflate := 1.0
		// an estimate from few blocks is too low by (1+3ρ)/n (Kendall, 1954), and varies by as much
		if rho := min(.9, lag1+2*(1+3*max(0, lag1))/n); rho > 0 {
			inflate = (1 + rho) / (1 - rho)
		}
		v := max(least, variance*inflate*(1/n+float64(length)/float64(max(span, length/4))))
		worst = max(worst, statistics.Student(n-1).Survival(d/math.Sqrt(v)))
		if length > span {
			break
		}
	}
	return worst
}

// variances returns the variance of the shares of blocks around p, weighted by their answers, and the correlation of
// neighbouring blocks.
func variances(list []latencyShare, p float64) (variance, lag1 float64) {
	total := 0.0
	for _, s := range list {
		total += s.n
	}
	mean := total / float64(len(list))
	var sum, pairs, last float64
	for i, s := range list {
		d := (s.over - p*s.n) / mean
		sum += d * d
		if i > 0 {
			pairs += d * last
		}
		last = d
	}
	if sum == 0 {
		return 0, 0
	}
	return sum / float64(len(list)-1), pairs / sum
}

// answersTail returns the chance that at least as many of the fault's answers are slow, if all answers are
// independent and no slower than in the baseline (Fisher's exact test). Levels alone do not suffice: if a percentile
// lies between two modes of the distribution, a few answers move the level of a block by the distance between the
// modes.
func answersTail(b, f latencyShare) float64 {
	all, slow := b.n+f.n, b.over+f.over
	p, tail := math.Exp(choose(slow, f.over)+choose(all-slow, f.n-f.over)-choose(all, f.n)), 0.0
	for x := f.over; x <= min(slow, f.n) && p > 0; x++ {
		tail += p
		p *= (slow - x) * (f.n - x) / ((x + 1) * (all - slow - f.n + x + 1))
	}
	return tail
}

// choose returns the logarithm of the binomial coefficient.
func choose(n, k float64) float64 {
	a, _ := math.Lgamma(n + 1)
	b, _ := math.Lgamma(k + 1)
	c, _ := math.Lgamma(n - k + 1)
	return a - b - c
}
