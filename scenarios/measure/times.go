package measure

import (
	"math"
	"time"

	"brunt/scenarios/result"
)

// Times are a distribution with what a histogram would round.
type Times struct {
	Tally
	sum  time.Duration
	Most time.Duration
}

func (t *Times) take(d time.Duration, s *Scratch) (clamped int64) {
	t.sum += max(0, d)
	t.Most = max(t.Most, d)
	return t.add(d, s)
}

// Rank is the place, from 1, of quantile q among n in order: the nearest rank. What
// q lost when it was written as a binary fraction does not count.
func Rank(q float64, n int64) int64 {
	x := q * float64(n)
	return max(1, int64(math.Ceil(x-1e-12*x-1e-9)))
}

// Quantile is the value at quantile q in seconds; NaN where there is none.
func (t *Times) Quantile(q float64) result.Num {
	if t.Total == 0 {
		return result.NaN
	}
	return result.Num(t.ValueAt(Rank(q, t.Total), t.Most))
}

// Plain are the percentiles of one distribution that is not empty.
func (t *Times) Plain() result.Times {
	return result.Times{
		P50: t.Quantile(.5), P90: t.Quantile(.9), P95: t.Quantile(.95), P99: t.Quantile(.99), P999: t.Quantile(.999),
		Max: result.Sec(t.Most), Mean: result.Num(t.sum.Seconds() / float64(t.Total)),
	}
}

// Waits are the percentiles of lag or queue; nothing waited where there was nothing.
func (t *Times) Waits() result.Lag {
	if t.Total == 0 {
		return result.Lag{}
	}
	return result.Lag{P50: t.Quantile(.5), P99: t.Quantile(.99), Max: result.Sec(t.Most)}
}
