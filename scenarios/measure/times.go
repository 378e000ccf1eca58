package measure

import (
	"math"
	"time"

	"brunt/scenarios/result"
)

// Times is a distribution with its exact sum and maximum, which a histogram would round.
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

// Rank returns the nearest rank, from 1, of quantile q among n sorted values. It ignores the rounding error of q as a
// binary fraction.
func Rank(q float64, n int64) int64 {
	x := q * float64(n)
	return max(1, int64(math.Ceil(x-1e-12*x-1e-9)))
}

// Quantile returns the value at quantile q in seconds; NaN for an empty distribution.
func (t *Times) Quantile(q float64) result.Num {
	if t.Total == 0 {
		return result.NaN
	}
	return result.Num(t.ValueAt(Rank(q, t.Total), t.Most))
}

// Plain returns the percentiles of a distribution that is not empty.
func (t *Times) Plain() result.Times {
	return result.Times{
		P50: t.Quantile(.5), P90: t.Quantile(.9), P95: t.Quantile(.95), P99: t.Quantile(.99), P999: t.Quantile(.999),
		Max: result.Sec(t.Most), Mean: result.Num(t.sum.Seconds() / float64(t.Total)),
	}
}

// Lagged lists the percentiles of the response times of which more than a tenth is lag; t is the distribution of the
// lag. Both come from the same requests, and the lag at a percentile is taken as the lag of the requests there.
func (t *Times) Lagged(of *result.Times) (out []string) {
	for _, p := range []struct {
		name string
		q    float64
		all  result.Num
	}{{"p50", .5, of.P50}, {"p90", .9, of.P90}, {"p95", .95, of.P95}, {"p99", .99, of.P99}, {"p99.9", .999, of.P999}} {
		if lag := t.Quantile(p.q); lag.Known() && p.all.Known() && lag > p.all/10 {
			out = append(out, p.name)
		}
	}
	return out
}

// Waits returns the percentiles of lag or queue; zero for an empty distribution.
func (t *Times) Waits() result.Lag {
	if t.Total == 0 {
		return result.Lag{}
	}
	return result.Lag{P50: t.Quantile(.5), P99: t.Quantile(.99), Max: result.Sec(t.Most)}
}
