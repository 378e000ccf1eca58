package requests

import (
	"math"

	"brunt/scenarios"
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// unshown explains why the requests do not show that an objective on a share holds, although it holds for these
// requests. shown is true if they do, and for other objectives. The 95 % upper bound of the bad share, by Clopper and
// Pearson's exact binomial interval, must lie within the objective.
//
// The bound is about the requests of this phase. The interval, which includes the spread between seconds, is wider
// and shows how much another run may differ. It is reported as well, but decides only in strict runs.
func unshown(o slo.Objective, sum *Sum, limit int) (why result.Note, shown bool) {
	share := Allowed(o)
	if !NeedsBound(o) {
		return result.Note{}, true
	}
	bad, n, complement := sum.Share(o, limit)
	each := sum.clump(o)
	bound := effect.UpperBound(float64(bad)/each, float64(n)/each, effect.Confidence)
	if bound <= share {
		return result.Note{}, true
	}
	measured := float64(bad) / float64(n)
	as := func(share float64) result.Num {
		if complement {
			share = 1 - share
		}
		return result.Num(share)
	}
	need := each * float64(enoughToShow(measured, share))
	return result.Note{
		Kind: result.NotShown, Value: as(measured), Count: n, High: as(bound), Need: int64(math.Ceil(need)),
	}, false
}

// NeedsBound reports whether a pass of an objective needs its bound. An objective on a share of requests does, unless
// it allows a bad share of 0 or 1.
func NeedsBound(o slo.Objective) bool {
	row, share := o.Metric.Row(), Allowed(o)
	return row.Count != nil && row.Unit == slo.ShareOf && share > 0 && share < 1
}

// Bound returns the 95 % bound of the share of an objective that needs one, as a value of its metric.
func Bound(o slo.Objective, sum *Sum, limit int) float64 {
	bad, n, complement := sum.Share(o, limit)
	each := sum.clump(o)
	bound := effect.UpperBound(float64(bad)/each, float64(n)/each, effect.Confidence)
	if complement {
		return 1 - bound
	}
	return bound
}

// clump returns how many bad requests an iteration with an error has, which are one event: the one that failed, and the
// steps that were skipped after it. It is 1 for an objective on one step, and for a metric that does not count skipped
// requests.
func (s *Sum) clump(o slo.Objective) float64 {
	failed, skipped := float64(s.Kinds[scenarios.Error]), float64(s.Kinds[scenarios.Skipped])
	if o.Step != "" || failed == 0 || !o.Metric.Row().CountsBad {
		return 1
	}
	return (failed + skipped) / failed
}

// enoughToShow returns about how many requests, with a bad share of share, show that the share is within limit; zero
// if a hundred million do not.
func enoughToShow(share, limit float64) int64 {
	for n := 10.0; n <= 1e8; n *= 1.1 {
		if effect.UpperBound(math.Round(share*n), n, effect.Confidence) <= limit {
			return int64(n)
		}
	}
	return 0
}

// beyondDoubt reports whether the one-sided 95 % bound of a share lies beyond the objective, so that the objective
// fails even with few requests.
func beyondDoubt(o slo.Objective, sum *Sum, limit int) bool {
	bad, n, _ := sum.Share(o, limit)
	if OfSpans(o.Metric) { // a burn rate counts the requests of the whole phase
		bad, n = sum.Bad(), sum.Offered()
	}
	share := Allowed(o)
	if o.Metric.Percentile() && !o.Upper() { // such an objective needs enough requests above the value
		bad, share = n-bad, o.Metric.Quantile
	}
	return effect.LowerBound(float64(bad), float64(n), effect.Confidence) > share
}

// Allowed returns the share of requests that an objective allows to be bad. It is 1 if the objective has no such
// share, or if the share is not known yet.
func Allowed(o slo.Objective) float64 {
	row := o.Metric.Row()
	switch {
	case row.Budget != nil:
		return row.Budget(o)
	case math.IsNaN(o.Value): // a multiple of a reference that is not known yet
	case row.Unit != slo.ShareOf || row.Count == nil && row.Needs != slo.NeedsLedger && row.Needs != slo.NeedsTraces:
	case row.Better == slo.HigherIsBetter && !o.Upper():
		return 1 - o.Value
	case row.Better == slo.LowerIsBetter && o.Upper():
		return o.Value
	}
	return 1
}

// NeedToFail returns the least number of requests, all of them bad, with which an objective of [Need] fails.
func NeedToFail(o slo.Objective) int64 {
	need, _ := Need(o)
	for n := int64(1); n < need; n++ {
		if effect.LowerBound(float64(n), float64(n), effect.Confidence) > Allowed(o) {
			return n
		}
	}
	return need
}

// NeedOccurrences returns the least number of occurrences of a fault with which an objective on a percentile or a share
// of them can pass; 0 for an objective that the worst occurrence decides.
func NeedOccurrences(o slo.Objective) int {
	switch {
	case o.Share > 0:
		return int(effect.EnoughOccurrences(o.Share, 0))
	case o.Metric.Over > 0:
		return result.EnoughForSpread(o.Metric.Over)
	}
	return 0
}

// Need returns the least number of requests with which an objective can pass; ok is false if there is no such number.
// An objective that allows no bad request needs one request, because more good requests prove nothing more.
func Need(o slo.Objective) (n int64, ok bool) {
	if o.Metric.Percentile() {
		return effect.EnoughForQuantile(o.Metric.Quantile), true
	}
	a := Allowed(o)
	switch {
	case a >= 1:
		return 0, false
	case a <= 0:
		return 1, true
	}
	return effect.EnoughFor(a), true
}
