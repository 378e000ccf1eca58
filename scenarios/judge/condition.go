package judge

import (
	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/slo"
)

// HoldsIn reports whether a stop condition held over an interval. known is false if none of its requests ended, and
// for burn and slices, which need spans of time. A rate without requests is known: it is zero.
func HoldsIn(s measure.Second, o slo.Objective) (holds, known bool) {
	sum, limit := punctualIn(&s, o)
	if sum.Population(o.Metric) == 0 && o.Metric.Row().Rate == nil || requests.OfSpans(o.Metric) {
		return false, false
	}
	return sum.Holds(o, limit), true
}

// Steady judges a condition over the baseline so far: the n requests that ended before any fault was injected.
// Without a request the condition does not hold. burn and slices do not hold either, because they are known only
// after the run.
func Steady(r *measure.Recorder, o slo.Objective) (holds bool, measured float64, n int64) {
	s := r.Baseline()
	sum, limit := punctualIn(&s, o)
	n = sum.Population(o.Metric)
	return n > 0 && sum.Holds(o, limit), sum.Measure(o, limit), n
}

// punctualIn returns the counts that an objective selects in an interval, without brunt's own time and the requests
// that brunt cut off, and the index of its limit. A load may end before others, and its requests are cut off then.
func punctualIn(s *measure.Second, o slo.Objective) (sum *requests.Sum, limit int) {
	sum, limit = requests.SumOf(&s.Config.Series, o, s.Counts, s.Span).Punctual(), requests.LimitIndex(s.Config.Limits, o)
	sum.Counts = *sum.Uncut(limit)
	return sum, limit
}

// BadIn returns how many requests were due in a span of whole seconds and have ended so far, and how many of them were
// bad: failed or slow. It leaves out shed requests and brunt's own time.
func BadIn(r *measure.Recorder, in requests.Span) (n, bad int64, err error) {
	err = r.Snapshot(func(s *measure.Snapshot) error {
		add := func(k measure.Key, c *measure.Cell) error {
			if k.Start >= in.From && k.Start < in.To && s.Config.InSums(int(k.Series)) {
				p := c.Counts().Punctual().UncutSlow()
				n += p.Offered() - p.Kinds[scenarios.Shed]
				bad += p.Bad() + p.Slow
			}
			return nil
		}
		for _, w := range s.Open {
			w.Each(func(k measure.Key, c *measure.Cell) {
				c.Settle(s.Scratch)
				_ = add(k, c)
			})
		}
		_, err := s.CellsFrom(0, add)
		return err
	})
	return n, bad, err
}
