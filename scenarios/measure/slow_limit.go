package measure

import (
	"math"
	"time"
)

// A SlowLimit is the time above which an answer is a bad request, computed from the baseline of a step.
//
// Bound is a 95 % upper bound of the quantile 1 - share of the baseline's answers. It uses order statistics, so that
// it holds for any distribution: for 95 of 100 baselines, at most that share of the answers of an unchanged target
// takes longer. The limit is twice the bound, and at least 20 ms above it. Chance and the noise of a busy machine
// stay below it; a target that takes twice as long as before does not.
type SlowLimit struct {
	At      time.Duration // the limit; zero means that there are too few answers
	Bound   time.Duration
	Share   float64
	Answers int64 // number of good answers in the baseline
	Needed  int64 // least number of answers that give a bound of the quantile
	// the step has too few answers of its own: its limit is the limit of all steps, and at least twice its longest
	// answer
	Few bool
}

// SlowLimits holds the limits of all steps.
type SlowLimits struct {
	All SlowLimit   // limit of the answers of all steps together
	By  []SlowLimit // by step; nil means that there are too few answers
}

// slowLimits computes the limit of each step from the times of its own baseline, because times that are usual for one
// step may be slow for another.
func slowLimits(usual []PhaseTimes, share float64) SlowLimits {
	var all PhaseTimes
	for i := range usual {
		all.Add(&usual[i])
	}
	out := SlowLimits{All: slowLimit(&all, share)}
	if out.All.At == 0 {
		return out
	}
	for i := range usual {
		l := slowLimit(&usual[i], share)
		if l.At == 0 {
			l.Few, l.At = true, max(out.All.At, 2*usual[i].Most, usual[i].Most+leastAbove)
		}
		out.By = append(out.By, l)
	}
	return out
}

// At lists the limits by step; nil means no limits.
func (l SlowLimits) At() (out []time.Duration) {
	for i := range l.By {
		out = append(out, l.By[i].At)
	}
	return out
}

// slowOf returns the time above which an answer of a step is slow; zero means no limit.
func (c *Config) slowOf(step int) time.Duration {
	if c.SlowBy != nil {
		return c.SlowBy[step]
	}
	return c.Slow
}

// SlowRange returns the smallest and the largest limit of slow answers over the steps; zero means no limit.
func (c *Config) SlowRange() (least, most time.Duration) {
	least, most = c.Slow, c.Slow
	for i, at := range c.SlowBy {
		if c.InSums(i) {
			if most = max(most, at); least == 0 || at < least {
				least = at
			}
		}
	}
	return least, most
}

// leastAbove is the least distance of the limit from the bound.
const leastAbove = 20 * time.Millisecond

// slowLimit computes the limit from the times of a baseline.
func slowLimit(usual *PhaseTimes, share float64) SlowLimit {
	out := SlowLimit{Share: share, Answers: usual.N, Needed: int64(math.Ceil(math.Log(.05) / math.Log1p(-share)))}
	if out.Answers < out.Needed {
		return out
	}
	out.Bound = usual.atMost(out.Answers - mostBeyond(out.Answers, share))
	out.At = max(2*out.Bound, out.Bound+leastAbove)
	return out
}

// mostBeyond returns the largest k for which the (n-k)-th smallest of n values is a 95 % upper bound of the quantile
// 1 - share: the probability of k or fewer values beyond the quantile is at most 5 %. It is 0 for the smallest n that
// gives a bound.
func mostBeyond(n int64, share float64) int64 {
	mean := float64(n) * share
	k := int64(max(0, mean-12*math.Sqrt(mean))) // below it nothing adds up
	lgamma := func(x int64) float64 {
		v, _ := math.Lgamma(float64(x) + 1)
		return v
	}
	for sum := 0.; ; k++ {
		sum += math.Exp(lgamma(n) - lgamma(k) - lgamma(n-k) + float64(k)*math.Log(share) + float64(n-k)*math.Log1p(-share))
		if sum > .05 {
			return k - 1
		}
	}
}
