package measure

import (
	"fmt"
	"math"

	"brunt/scenarios"
)

// judgeFault answers an objective that is measured from a fault, in the worst of
// its occurrences.
func (f *finisher) judgeFault(o scenarios.Objective) scenarios.ObjectiveResult {
	worst := undone(o.After, "the fault was not injected")
	found := false
	for i, oc := range f.faults {
		if oc.Name == "" || oc.Name != o.After && oc.Fault != o.After {
			continue
		}
		if r := f.faultResult(o, i, f.ask(i, o)); !found || worse(o, &r, &worst) {
			worst, found = r, true
		}
	}
	return worst
}

// faultResult holds what occurrence i did against an objective.
func (f *finisher) faultResult(o scenarios.Objective, i int, a Answer) scenarios.ObjectiveResult {
	oc := f.faults[i]
	r := undone(oc.Name, a.Note)
	r.Count = 1
	switch {
	case a.BadBefore:
		r.Verdict = scenarios.Fail
		f.out.Faults[i].Unsteady = unsteadyBefore(oc.Name, o, f.out.Faults[i].Limit, a)
	case f.c.NoTraffic[i]:
		r.Verdict, r.Note = scenarios.Invalid, "the fault met no traffic"
	case a.Impact == scenarios.Confounded, a.Impact == scenarios.UnknownYet && !a.OnsetAt.Known():
	case a.Impact == scenarios.NotImpacted && f.c.Faults[oc.Fault].RequireImpact:
		r.Verdict, r.Note = scenarios.Fail, "the fault had no impact, and one is required"
	case a.Impact == scenarios.NotImpacted && o.Metric.Name == "onset":
		r.Note = "no impact, so there is no onset"
	default:
		f.holdAgainst(o, oc, a, &r)
	}
	return r
}

// unsteadyBefore says how the steady state failed before a fault.
func unsteadyBefore(fault string, o scenarios.Objective, limit float64, a Answer) string {
	if a.StuckBefore {
		return "requests were in flight and none ended before " + fault
	}
	what := "errors were"
	if o.Metric.Span > 0 {
		what = "errors and answers over " + scenarios.FormatDuration(o.Metric.Span) + " were"
	}
	return fmt.Sprintf("%s already over %s before %s", what, scenarios.FormatShare(limit), fault)
}

// holdAgainst compares a value with its target. Where recovery was not seen, what
// has been lost so far is the least that can have been lost: enough to fail an
// upper bound, too little to pass it.
func (f *finisher) holdAgainst(o scenarios.Objective, oc Occurrence, a Answer, r *scenarios.ObjectiveResult) {
	v, least := faultValue(o, oc, a)
	met := meets(o, v)
	grows := o.Op == ">" || o.Op == ">="
	switch {
	case math.IsNaN(v):
		return
	case least && met && !grows, least && !met && grows, least && o.Op == "=" && v < o.Value:
		r.Low = scenarios.Num(v)
		return
	case least && (o.Metric.Name == "recover" || o.Metric.Name == "heal"):
		r.Low = scenarios.Num(v)
		r.Note = fmt.Sprintf("not recovered: > %s", scenarios.FormatSeconds(v))
		if a.Impact == scenarios.NotRecovered {
			r.Measured = scenarios.Num(math.Inf(1))
		}
	default:
		r.Measured = scenarios.Num(v)
	}
	switch {
	case a.Impact == scenarios.NotImpacted:
		r.Note = "no impact"
	case math.IsInf(v, 1):
		r.Note = "never good again while the fault was in"
	case o.Metric.Unit == scenarios.Seconds && o.Metric.Name != "area" && !least:
		width := a.Resolution.Seconds()
		r.Low, r.High = scenarios.Num(max(0, v-width)), scenarios.Num(v+width)
	}
	switch {
	case f.c.Strict && r.High.Known() && meets(o, float64(r.Low)) != meets(o, float64(r.High)):
		r.Note = "strict: the interval straddles the target"
	case met:
		r.Verdict = scenarios.Pass
	default:
		r.Verdict = scenarios.Fail
	}
}

// faultValue is what an objective of a fault measures; NaN is unknown. Least tells
// that it may be more, because recovery was not seen.
func faultValue(o scenarios.Objective, oc Occurrence, a Answer) (v float64, least bool) {
	since := func(at scenarios.Num, from float64) float64 { return max(0, float64(at)-from) }
	injected, cleared := oc.Injected.Seconds(), oc.Cleared.Seconds()
	unseen := !a.RecoveredAt.Known()
	switch o.Metric.Name {
	case "onset":
		return since(a.OnsetAt, injected), false
	case "failover":
		switch {
		case a.FailoverAt.Known():
			return since(a.FailoverAt, injected), false
		case a.Impact == scenarios.NotImpacted:
			return 0, false
		}
		return math.Inf(1), false
	case "recover":
		if unseen {
			return since(a.NotBefore, injected), true
		}
		return since(a.RecoveredAt, injected), false
	case "heal":
		switch {
		case !oc.Over:
			return math.NaN(), false
		case unseen:
			return since(a.NotBefore, cleared), true
		}
		return since(a.RecoveredAt, cleared), false
	case "degraded":
		return a.Degraded.Seconds(), unseen
	case "failed":
		return float64(a.Failed), unseen
	}
	return a.Area, unseen
}
