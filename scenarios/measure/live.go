package measure

import (
	"time"

	"brunt/scenarios"
)

// Interval gives what the time since the last one came to, about a second, for
// those who watch, and begins the next one. It folds first. Its counts are of
// requests that ended in that time; those offered are the ended, and by how many
// more are under way: so while nothing is answered, what goes on being asked for
// shows. An iteration under way counts as one request, also while it thinks.
func (r *Recorder) Interval() (scenarios.Interval, Second) {
	r.folding.Lock()
	defer r.folding.Unlock()
	r.fold()
	r.mu.Lock()
	defer r.mu.Unlock()
	iv := scenarios.Interval{At: r.cfg.Now(), Total: r.offered, Bad: r.bad}
	sec := Second{series: r.cfg.Series, limits: r.cfg.Limits, sums: r.since, span: max(time.Millisecond, iv.At-r.began)}
	for i := range r.cfg.Steps {
		t := &r.since[i]
		iv.Ended += t.Offered()
		iv.Sent += t.Sent
		iv.OK += t.Kinds[scenarios.OK]
		iv.Shed += t.Kinds[scenarios.Shed]
		iv.Errors += t.Bad()
	}
	iv.Span = sec.span
	sec.steps = r.stepsSince()
	r.since, r.began = make([]Sum, len(r.since)), iv.At
	if r.live.TotalCount() > 0 {
		iv.P50, iv.P95, iv.P99 = r.liveAt(50), r.liveAt(95), r.liveAt(99)
	}
	iv.Lag = time.Duration(r.lag.ValueAtQuantile(99)) * time.Microsecond
	r.live.Reset()
	r.lag.Reset()
	if r.cfg.InFlight != nil {
		iv.InFlight = r.cfg.InFlight()
	}
	// subtle: a request that ended since the fold is no longer under way and not yet
	// counted as ended. The next interval makes up for it.
	iv.Offered = max(0, iv.Ended+iv.InFlight-r.under)
	r.under += iv.Offered - iv.Ended
	for _, f := range r.faults {
		if f.Name != "" && !f.Over {
			iv.Faults = append(iv.Faults, f.Name)
		}
	}
	sec.InFlight = iv.InFlight
	iv.Objectives = r.stands(iv.At)
	second := floorSecond(iv.At) - time.Second
	r.asked[second] = int64(float64(iv.Offered) / sec.span.Seconds())
	delete(r.asked, second-r.cfg.Timeout-2*time.Second)
	return iv, sec
}

func (r *Recorder) liveAt(q float64) time.Duration {
	return time.Duration(r.live.ValueAtQuantile(q)) * time.Microsecond
}

// A Second is what ended during an interval, for stop conditions.
type Second struct {
	InFlight int64
	series   Series
	limits   []Limit
	sums     []Sum
	span     time.Duration
	steps    []stepCounts
}

// Judge tells whether a condition held over the interval; known is false when
// nothing of what it is about ended, and for burn and slices, which are of spans
// and not of an interval. A rate of nothing is known: it is zero.
func (s Second) Judge(o scenarios.Objective) (holds, known bool) {
	sum := s.series.sum(o, s.sums, s.span)
	if sum.population(o.Metric) == 0 && o.Metric.Name != "rate" || ofSpans(o.Metric) {
		return false, false
	}
	return sum.holds(o, limitIndex(s.limits, o)), true
}

// Steady judges a condition over the baseline so far: the requests that ended
// before any fault was injected. N is how many there are; without one the
// condition does not hold, nor do burn and slices, which are known after the run.
func (r *Recorder) Steady(o scenarios.Objective) (holds bool, measured float64, n int64) {
	r.folding.Lock()
	defer r.folding.Unlock()
	r.fold()
	r.mu.Lock()
	defer r.mu.Unlock()
	sums := make([]Sum, len(r.base))
	for i := range r.base {
		sums[i].merge(r.base[i].asSum())
	}
	for _, w := range r.windows.open {
		w.each(func(k key, c *cell) {
			if r.inBaseline(k) {
				c.settle(&r.scratch)
				sums[k.series].merge(c.asSum())
			}
		})
	}
	sum := r.cfg.sum(o, sums, max(time.Millisecond, min(r.cfg.Now(), r.firstInjection())))
	limit := limitIndex(r.cfg.Limits, o)
	measured = sum.measure(o, limit)
	if n = sum.population(o.Metric); n == 0 {
		return false, measured, 0
	}
	return sum.holds(o, limit), measured, n
}

// sum adds up the series that an objective is about.
func (c *Series) sum(o scenarios.Objective, sums []Sum, span time.Duration) *Sum {
	out := &Sum{Span: span}
	for i := range sums {
		if c.paced(o, i) {
			out.Iterations += sums[i].Offered()
		}
		if c.selects(o, i) {
			out.merge(&sums[i])
		}
	}
	return out
}

// paced tells whether series i is what the rate of an objective counts: the
// iterations of the loads that it is about, or the requests of the step that it
// names.
func (c *Series) paced(o scenarios.Objective, i int) bool {
	if o.Step == "" {
		o.Step = "iteration"
	}
	return c.selects(o, i)
}
