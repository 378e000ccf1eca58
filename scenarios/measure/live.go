package measure

import (
	"time"

	"brunt/scenarios"
)

// Interval gives what the last second came to, for those who watch, and begins
// the next one. It folds first.
func (r *Recorder) Interval() (scenarios.Interval, Second) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fold()
	iv := scenarios.Interval{At: r.cfg.Now(), Total: r.whole.Offered(), Bad: r.whole.Bad()}
	sec := Second{r: r, sums: make([]Sum, len(r.since))}
	for i := range r.since {
		t := &r.since[i]
		if i < len(r.cfg.Steps) {
			iv.Offered += t.Offered()
			iv.Sent += t.Sent
			iv.OK += t.Kinds[scenarios.OK]
			iv.Shed += t.Kinds[scenarios.Shed]
			iv.Errors += t.Bad()
		}
		sec.sums[i] = *t
		r.since[i] = Sum{}
	}
	iv.Ended = iv.Offered
	if r.live.TotalCount() > 0 {
		iv.P50, iv.P95, iv.P99 = r.liveAt(50), r.liveAt(95), r.liveAt(99)
	}
	iv.Lag = time.Duration(r.lag.ValueAtQuantile(99)) * time.Microsecond
	r.live.Reset()
	r.lag.Reset()
	if r.cfg.InFlight != nil {
		iv.InFlight = r.cfg.InFlight()
	}
	for _, f := range r.faults {
		if f.Name != "" && !f.Over {
			iv.Faults = append(iv.Faults, f.Name)
		}
	}
	sec.InFlight = iv.InFlight
	return iv, sec
}

func (r *Recorder) liveAt(q float64) time.Duration {
	return time.Duration(r.live.ValueAtQuantile(q)) * time.Microsecond
}

// A Second is what ended during the last second, for stop conditions.
type Second struct {
	InFlight int64
	r        *Recorder
	sums     []Sum
}

// Judge tells whether a condition held over the second; known is false when
// nothing of what it is about ended.
func (s Second) Judge(o scenarios.Objective) (holds, known bool) {
	sum := s.r.cfg.sum(o, s.sums, time.Second)
	if sum.population(o.Metric) == 0 {
		return false, false
	}
	return sum.holds(o, limitIndex(s.r.cfg.Limits, o)), true
}

// Steady judges a condition over the baseline so far: the requests that ended
// before any fault was injected. N is how many there are.
func (r *Recorder) Steady(o scenarios.Objective) (holds bool, measured float64, n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fold()
	sum := r.cfg.sum(o, r.baseline, max(time.Millisecond, min(r.cfg.Now(), r.firstInjection())))
	limit := limitIndex(r.cfg.Limits, o)
	if n = sum.population(o.Metric); n == 0 {
		return false, sum.measure(o, limit), 0
	}
	return sum.holds(o, limit), sum.measure(o, limit), n
}

// sum adds up the series that an objective is about.
func (c *Series) sum(o scenarios.Objective, sums []Sum, span time.Duration) *Sum {
	out := &Sum{Span: span}
	for i := range sums {
		if i >= len(c.Steps) && (o.Load == "" || c.Loads[i-len(c.Steps)].Name == o.Load) {
			out.Iterations += sums[i].Offered()
		}
		if c.selects(o, i) {
			out.merge(&sums[i])
		}
	}
	return out
}
