package compare

import (
	"math"
	"sort"

	"brunt/scenarios/statistics"
)

// An estimate is the change between two sides: its mean with the standard error and the degrees
// of freedom of Student's t.
type estimate struct {
	mean    float64
	err     float64
	freedom float64
	lasting float64 // the part of err that more runs do not reduce: that of the one run compared with a history
	always  bool    // bounds hold at all times together, see [evidence]
}

// t returns the quantile of Student's t.
func (e estimate) t(q float64) float64 {
	return statistics.Student(e.freedom).Quantile(q)
}

// reach returns the distance of a one-sided bound from the mean.
func (e estimate) reach(alpha float64) float64 {
	if e.always {
		return reach(e.freedom+1, alpha) * e.err
	}
	return e.t(1-alpha) * e.err
}

// low returns the one-sided lower bound of the change, and high the upper one.
func (e estimate) low(alpha float64) float64  { return e.mean - e.reach(alpha) }
func (e estimate) high(alpha float64) float64 { return e.mean + e.reach(alpha) }

// p returns the probability of a change as bad as this one by noise alone.
func (e estimate) p() float64 {
	if e.always {
		return math.Min(1, 1/evidence(e.mean/e.err, e.freedom+1))
	}
	return statistics.Student(e.freedom).Survival(e.mean / e.err)
}

// paired estimates the change from pairs of runs that were made one right after the other, so that drift affects both
// alike. Floor is the least standard deviation of a single difference.
func paired(changes []float64, floor float64) estimate {
	n := float64(len(changes))
	mean, dev := statistics.MeanDeviation(changes)
	return estimate{mean: mean, err: math.Max(dev, floor) / math.Sqrt(n), freedom: n - 1}
}

// welch estimates the change from two groups of runs (Welch, The generalization of Student's problem when several
// different population variances are involved, 1947). Floor is the least standard deviation of a run.
func welch(a, b []float64, floor float64) estimate {
	ma, da := statistics.MeanDeviation(a)
	mb, db := statistics.MeanDeviation(b)
	na, nb := float64(len(a)), float64(len(b))
	va, vb := math.Pow(math.Max(da, floor), 2)/na, math.Pow(math.Max(db, floor), 2)/nb
	return estimate{mean: mb - ma, err: math.Sqrt(va + vb), freedom: (va + vb) * (va + vb) / (va*va/(na-1) + vb*vb/(nb-1))}
}

// dependent widens an estimate for values whose neighbours have the correlation rho: n of them tell as much as
// n·(1-ρ)/(1+ρ) independent ones (Bayley and Hammersley, The "effective" number of independent observations in an
// autocorrelated time series, 1946).
func (e estimate) dependent(rho float64) estimate {
	share := (1 - rho) / (1 + rho)
	e.err /= math.Sqrt(share)
	e.freedom = math.Max(1, e.freedom*share)
	return e
}

// power is the probability of detecting a change of the reported smallest size.
const power = .8

// smallest returns the least true change that these runs would show as a failure with probability power. A change
// fails if its lower bound is above zero and its mean is above the margin.
func (e estimate) smallest(limit, alpha float64) float64 {
	return math.Max(e.reach(alpha), limit) + e.t(power)*e.err
}

// mostRuns is the number of runs beyond which more runs are not recommended.
const mostRuns = 1000

// enough returns the number of runs per side that give an answer with probability power, if the estimate is true. The
// answer is a failure if the mean is above the margin, and a pass otherwise. For a history it is the number of
// similar records that would give an answer about this run. Zero means that more than mostRuns are needed. N is the
// present number of runs.
func (e estimate) enough(n int, limit, alpha float64) int {
	least := max(n, 2)
	k := least + sort.Search(mostRuns+1-least, func(more int) bool { return e.of(n, least+more).answers(limit, alpha) })
	if k > mostRuns {
		return 0
	}
	return k
}

// of converts the estimate from n runs to one from k runs.
func (e estimate) of(n, k int) estimate {
	share := float64(k) / float64(n)
	last := e.lasting * e.lasting
	e.err, e.freedom = math.Sqrt(last+(e.err*e.err-last)/share), e.freedom*float64(k-1)/float64(n-1)
	return e
}

// answers reports whether runs with this estimate give an answer with probability power.
func (e estimate) answers(limit, alpha float64) bool {
	sure := e.t(power) * e.err
	if e.lasting > 0 { // the single run does not change
		sure = 0
	}
	shown := e.reach(alpha) + sure
	if e.mean > limit {
		return e.mean >= shown && e.mean-limit >= sure
	}
	return limit-e.mean >= shown
}
