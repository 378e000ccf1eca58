package judge

import (
	"fmt"
	"math"

	"brunt/scenarios"
	"brunt/scenarios/impact"
	"brunt/scenarios/measure"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// judgeFault answers an objective that is measured from a fault, in the worst of
// its occurrences.
func (f *finisher) judgeFault(o slo.Objective) result.ObjectiveResult {
	if o.Metric.Over > 0 {
		return f.judgeSpread(o)
	}
	worst := undone(o.After, noFault)
	found := false
	for i, oc := range f.Faults {
		if oc.Name == "" || oc.Name != o.After && oc.Fault != o.After {
			continue
		}
		if r := f.faultResult(o, i, f.ask(i, o)); !found || worse(o, &r, &worst) {
			worst, found = r, true
		}
	}
	return worst
}

// untold says why nothing is known of what occurrence i does, whatever was measured
// while it was in: it was not seen to be there, or nothing met it. Empty is neither.
func (f *finisher) untold(i int) string {
	name := f.Faults[i].Name
	none, counted := f.c.NoTraffic[i]
	switch {
	case name == "": // it was not injected
		return ""
	case f.c.Unverified[i]:
		return name + " was not verified, so nothing is known of what it does"
	case none, !counted && f.traffic[i] == 0:
		return name + " met no traffic, so nothing is known of what it does"
	}
	return ""
}

// told is the answer of occurrence i as it is reported.
//
// subtle: what was bad after a fault that is untold still confounds the next one, and
// so f.answers keep it.
func (f *finisher) told(i int) impact.Answer {
	a := f.answers[i]
	if why := f.untold(i); why != "" {
		a.Impact, a.Note = result.UnknownYet, why
		a.OnsetAt, a.FailoverAt, a.RecoveredAt, a.NotBefore = result.NaN, result.NaN, result.NaN, result.NaN
	}
	return a
}

// required is what require_impact comes to under an answer of occurrence i, and why
// where it is no pass; empty where no impact is required.
func (f *finisher) required(i int, a impact.Answer) (v scenarios.Verdict, why string) {
	oc := f.Faults[i]
	switch {
	case oc.Name == "" || !f.c.Faults[oc.Fault].RequireImpact:
		return "", ""
	case a.Impact == result.NotImpacted:
		return scenarios.Fail, oc.Name + " had no impact, and require_impact wants one"
	case !a.Tells():
		return scenarios.Inconclusive, "require_impact wants an impact of " + oc.Name + ", and whether it had one is not known: " + a.Note
	}
	return scenarios.Pass, ""
}

// temper makes an answer for a phase of occurrence i no better than what is known of
// the fault.
func (f *finisher) temper(i int, r *result.ObjectiveResult) {
	if why := f.untold(i); why != "" {
		r.Verdict, r.Note = scenarios.Invalid, why
		return
	}
	if v, why := f.required(i, f.answers[i]); v != "" && r.Verdict == scenarios.Pass && v != scenarios.Pass {
		r.Verdict, r.Note = v, why
	}
}

// faultResult holds what occurrence i did against an objective.
func (f *finisher) faultResult(o slo.Objective, i int, a impact.Answer) result.ObjectiveResult {
	oc := f.Faults[i]
	r := undone(oc.Name, a.Note)
	r.Count = 1
	monitored := o.Metric.Name == "detect" || o.Metric.OfAlert()
	if a.BadBefore && !monitored {
		f.out.Faults[i].Unsteady = unsteadyBefore(oc.Name, o, f.out.Faults[i].Limit, a)
	}
	required, why := f.required(i, a)
	switch {
	case f.untold(i) != "":
		r.Verdict, r.Note = scenarios.Invalid, f.untold(i)
	case o.Metric.Name == "resolved":
		r.Note = ""
		f.resolved(o, i, &r)
	case monitored: // whatever it did to the load
		r.Note = ""
		f.detected(o, i, &r)
	case a.BadBefore:
		r.Verdict = scenarios.Fail
	case required != "" && required != scenarios.Pass:
		r.Verdict, r.Note = required, why
	case !a.Tells():
	case a.Impact == result.NotImpacted && o.Metric.Name == "onset":
		r.Note = "no impact, so there is no onset"
	default:
		f.holdAgainst(o, oc, a, &r)
	}
	return r
}

// unsteadyBefore says how the steady state failed before a fault.
func unsteadyBefore(fault string, o slo.Objective, limit float64, a impact.Answer) string {
	if a.StuckBefore {
		return "requests were in flight and none ended before " + fault
	}
	what := "errors were"
	if o.Metric.Span > 0 {
		what = "errors and answers over " + quantity.FormatDuration(o.Metric.Span) + " were"
	}
	return fmt.Sprintf("%s already over %s before %s", what, quantity.FormatShare(limit), fault)
}

// holdAgainst compares a value with its target. Where recovery was not seen, what
// has been lost so far is the least that can have been lost: enough to fail an
// upper bound, too little to pass it.
func (f *finisher) holdAgainst(o slo.Objective, oc measure.Occurrence, a impact.Answer, r *result.ObjectiveResult) {
	v, least := faultValue(o, oc, a)
	met := meets(o, v)
	grows := o.Op == ">" || o.Op == ">="
	switch {
	case math.IsNaN(v):
		return
	case least && met && !grows, least && !met && grows, least && o.Op == "=" && v < o.Value:
		r.Low = result.Num(v)
		return
	case least && (o.Metric.Name == "recover" || o.Metric.Name == "heal"):
		r.Low = result.Num(v)
		r.Note = fmt.Sprintf("not recovered: > %s", quantity.FormatSeconds(v))
		if a.Impact == result.NotRecovered {
			r.Measured = result.Num(math.Inf(1))
		}
	default:
		r.Measured = result.Num(v)
	}
	switch {
	case a.Impact == result.NotImpacted:
		r.Note = "no impact"
	case math.IsInf(v, 1):
		r.Note = "never good again while the fault was in"
	case o.Metric.Unit == slo.Seconds && o.Metric.Name != "area" && !least:
		width := a.Resolution.Seconds()
		r.Low, r.High = result.Num(max(0, v-width)), result.Num(v+width)
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
func faultValue(o slo.Objective, oc measure.Occurrence, a impact.Answer) (v float64, least bool) {
	since := func(at result.Num, from float64) float64 { return max(0, float64(at)-from) }
	injected, cleared := oc.Injected.Seconds(), oc.Cleared.Seconds()
	unseen := !a.RecoveredAt.Known()
	switch o.Metric.Name {
	case "onset":
		return since(a.OnsetAt, injected), false
	case "failover":
		switch {
		case a.FailoverAt.Known():
			return since(a.FailoverAt, injected), false
		case a.Impact == result.NotImpacted:
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
