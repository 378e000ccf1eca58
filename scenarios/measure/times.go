package measure

import (
	"math"
	"time"

	"brunt/scenarios"
)

// times are a distribution with what a histogram would round.
type times struct {
	tally
	sum  time.Duration
	most time.Duration
}

func (t *times) take(d time.Duration, s *scratch) (clamped int64) {
	t.sum += max(0, d)
	t.most = max(t.most, d)
	return t.add(d, s)
}

// rank is the place, from 1, of quantile q among n in order: the nearest rank. What
// q lost when it was written as a binary fraction does not count.
func rank(q float64, n int64) int64 {
	x := q * float64(n)
	return max(1, int64(math.Ceil(x-1e-12*x-1e-9)))
}

// quantile is the value at quantile q in seconds; NaN where there is none.
func (t *times) quantile(q float64) scenarios.Num {
	if t.total == 0 {
		return scenarios.NaN
	}
	return scenarios.Num(t.valueAt(rank(q, t.total), t.most))
}

// plain are the percentiles of one distribution that is not empty.
func (t *times) plain() scenarios.Times {
	return scenarios.Times{
		P50: t.quantile(.5), P90: t.quantile(.9), P95: t.quantile(.95), P99: t.quantile(.99), P999: t.quantile(.999),
		Max: scenarios.Sec(t.most), Mean: scenarios.Num(t.sum.Seconds() / float64(t.total)),
	}
}

// waits are the percentiles of lag or queue; nothing waited where there was nothing.
func (t *times) waits() scenarios.Lag {
	if t.total == 0 {
		return scenarios.Lag{}
	}
	return scenarios.Lag{P50: t.quantile(.5), P99: t.quantile(.99), Max: scenarios.Sec(t.most)}
}
