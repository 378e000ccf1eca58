package judge

import (
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/slo"
)

// HoldsIn reports whether a stop condition held over an interval. Known is false when none of its
// requests ended, and for burn and slices, which need spans of time. A rate without requests is
// known: it is zero.
func HoldsIn(s measure.Second, o slo.Objective) (holds, known bool) {
	sum := requests.SumOf(&s.Config.Series, o, s.Counts, s.Span).Punctual()
	if sum.Population(o.Metric) == 0 && o.Metric.Row().Rate == nil || requests.OfSpans(o.Metric) {
		return false, false
	}
	return sum.Holds(o, requests.LimitIndex(s.Config.Limits, o)), true
}

// Steady judges a condition over the baseline so far: the requests that ended before any fault was
// injected. N is how many there are; without one the condition does not hold. Nor do burn and
// slices, which are known only after the run.
func Steady(r *measure.Recorder, o slo.Objective) (holds bool, measured float64, n int64) {
	s := r.Baseline()
	sum := requests.SumOf(&s.Config.Series, o, s.Counts, s.Span).Punctual()
	limit := requests.LimitIndex(s.Config.Limits, o)
	measured = sum.Measure(o, limit)
	if n = sum.Population(o.Metric); n == 0 {
		return false, measured, 0
	}
	return sum.Holds(o, limit), measured, n
}
