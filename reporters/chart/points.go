package chart

import (
	"cmp"
	"math"
	"slices"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// A point is a window of the run in the form that the charts show. Latencies and waits are in seconds: NaN if there
// was no request, infinite if more requests failed than the percentile allows.
type point struct {
	t, d                      float64 // begins at t and lasts d, in seconds
	offered, sent, answered   int64
	ok, shed, failed, skipped int64
	kinds                     map[string]int64
	p50, p95, P99, most       float64
	lag, queue                float64
	inFlight                  int64
	hists                     []int
	Population                int64
}

const (
	// mostPoints bounds the points of a page: somewhat more than the seconds of an hour. For a
	// longer run several windows become one point, with the largest of their latencies.
	mostPoints = 4000
	// Sliver is a length in seconds. If a fault cuts a window and one part is at most that long, it is drawn together
	// with the rest of the window: it has too few requests for a point of its own.
	Sliver = 0.2
)

// Points returns the windows over all loads in the order of time, and the number of windows that make one point.
func Points(r *result.Result) (list []point, together int) {
	for i := range r.Windows {
		if w := &r.Windows[i]; w.Load == "*" && w.Step == "*" && w.T.Known() && w.D > 0 {
			list = append(list, pointOf(w))
		}
	}
	slices.SortStableFunc(list, func(a, b point) int { return cmp.Compare(a.t, b.t) })
	list = joinSlivers(list)
	if len(list) <= mostPoints {
		return list, 1
	}
	together = (len(list) + mostPoints - 1) / mostPoints
	var out []point
	for i := 0; i < len(list); i += together {
		p := list[i]
		for _, q := range list[i+1 : min(len(list), i+together)] {
			p.add(&q, true)
		}
		out = append(out, p)
	}
	return out, together
}

func pointOf(w *result.Window) point {
	p := point{
		t: float64(w.T), d: float64(w.D), offered: w.Offered, sent: w.Sent, answered: w.Answered, ok: w.OK, shed: w.Shed,
		failed: w.Error, skipped: w.Skipped,
		kinds: w.Kinds, most: float64(w.Max), lag: float64(w.Lag), queue: float64(w.Queue), inFlight: w.InFlight,
		Population: w.Offered - w.Shed,
	}
	time := func(n result.Num) float64 {
		if words.IsInfinite(n, p.Population) {
			return math.Inf(1)
		}
		return float64(n)
	}
	p.p50, p.p95, p.P99 = time(w.P50), time(w.P95), time(w.P99)
	if w.Hist != 0 {
		p.hists = []int{w.Hist}
	}
	return p
}

// joinSlivers merges the small parts of windows that faults cut with a neighbour in the same second. The percentiles
// of the part with more requests stand for both.
func joinSlivers(list []point) []point {
	var out []point
	for _, p := range list {
		if n := len(out); n > 0 {
			last := &out[n-1]
			if math.Floor(last.t) == math.Floor(p.t) && (last.d < Sliver || p.d < Sliver) {
				if p.Population > last.Population {
					last.p50, last.p95, last.P99 = p.p50, p.p95, p.P99
				}
				last.add(&p, false)
				continue
			}
		}
		out = append(out, p)
	}
	return out
}

// add merges q, which follows p. With worst it keeps the larger percentiles, else p's own.
func (p *point) add(q *point, worst bool) {
	p.d = q.t + q.d - p.t
	p.offered += q.offered
	p.sent += q.sent
	p.answered += q.answered
	p.ok += q.ok
	p.shed += q.shed
	p.failed += q.failed
	p.skipped += q.skipped
	p.Population += q.Population
	p.inFlight = max(p.inFlight, q.inFlight)
	if worst {
		p.p50, p.p95, p.P99 = Larger(p.p50, q.p50), Larger(p.p95, q.p95), Larger(p.P99, q.P99)
	}
	p.most, p.lag, p.queue = Larger(p.most, q.most), Larger(p.lag, q.lag), Larger(p.queue, q.queue)
	p.hists = append(slices.Clone(p.hists), q.hists...)
	if len(q.kinds) > 0 {
		sum := map[string]int64{}
		for _, k := range []map[string]int64{p.kinds, q.kinds} {
			for name, n := range k {
				sum[name] += n
			}
		}
		p.kinds = sum
	}
}

// Larger returns the larger of two numbers, each of which may be unknown.
func Larger(a, b float64) float64 {
	if math.IsNaN(a) || b > a {
		return b
	}
	return a
}

// column returns one number of each point.
func column(list []point, f func(*point) float64) []float64 {
	out := make([]float64, len(list))
	for i := range list {
		out[i] = f(&list[i])
	}
	return out
}

// perSecondOf returns a count of each point as events per second.
func perSecondOf(list []point, f func(*point) int64) []float64 {
	return column(list, func(p *point) float64 { return float64(f(p)) / p.d })
}
