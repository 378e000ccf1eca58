package judge

import (
	"fmt"
	"math"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/impact"
	"brunt/scenarios/measure"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// judgeFault judges an objective on a fault by the worst occurrence of the fault.
func (f *composer) judgeFault(o slo.Objective) result.ObjectiveResult {
	switch {
	case o.After == scenarios.Incident:
		return judgeIncident(f, o)
	case o.Metric.Over > 0:
		return f.judgeSpread(o)
	}
	worst := unanswered(o.After, noFault)
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

// whyUnknown explains why the effect of occurrence i is unknown: it was not verified, or no traffic
// met it. It is empty where the effect is known.
func (f *composer) whyUnknown(i int) string {
	name := f.Faults[i].Name
	none, counted := f.c.NoTraffic[i]
	switch {
	case name == "": // it was not injected
		return ""
	case f.c.Unverified[i]:
		return name + " was not verified, so its effect is unknown"
	case none, !counted && f.traffic[i] == 0:
		return name + " met no traffic, so its effect is unknown"
	}
	return ""
}

// reported is the answer of occurrence i as reports show it.
//
// subtle: a fault whose effect is unknown still confounds the next one, so f.answers keeps its
// answer.
func (f *composer) reported(i int) impact.Answer {
	a := f.answers[i]
	if why := f.whyUnknown(i); why != "" {
		a.Impact, a.Note = result.UnknownYet, why
		a.OnsetAt, a.FailoverAt, a.RecoveredAt, a.NotBefore, a.RelapsedAt = result.NaN, result.NaN, result.NaN, result.NaN, result.NaN
	}
	return a
}

// required evaluates require_impact for an answer of occurrence i, and returns the reason if it is
// not a pass. The verdict is empty where no impact is required.
func (f *composer) required(i int, a impact.Answer) (v scenarios.Verdict, why string) {
	oc := f.Faults[i]
	switch {
	case oc.Name == "" || !f.c.Faults[oc.Fault].RequireImpact:
		return "", ""
	case a.Impact == result.NotImpacted:
		return scenarios.Fail, oc.Name + " had no impact, but require_impact is set"
	case !a.Tells():
		return scenarios.Inconclusive, "require_impact is set, but whether " + oc.Name + " had an impact is unknown: " + a.Note
	}
	return scenarios.Pass, ""
}

// limitVerdict limits the verdict for a phase of occurrence i to what is known of the fault.
func (f *composer) limitVerdict(i int, r *result.ObjectiveResult) {
	if why := f.whyUnknown(i); why != "" {
		r.Verdict, r.Note = scenarios.Invalid, why
		return
	}
	if v, why := f.required(i, f.answers[i]); v != "" && r.Verdict == scenarios.Pass && v != scenarios.Pass {
		r.Verdict, r.Note = v, why
	}
}

// faultResult judges an objective on occurrence i.
func (f *composer) faultResult(o slo.Objective, i int, a impact.Answer) result.ObjectiveResult {
	oc := f.Faults[i]
	r := unanswered(oc.Name, a.Note)
	r.Count = 1
	monitored := o.Metric.Name == "detect" || o.Metric.OfAlert()
	if a.BadBefore && !monitored {
		f.out.Faults[i].Unsteady = unsteadyBefore(f, oc.Name, o, a)
	}
	required, why := f.required(i, a)
	switch {
	case f.whyUnknown(i) != "":
		r.Verdict, r.Note = scenarios.Invalid, f.whyUnknown(i)
	case o.Metric.Name == "resolved":
		r.Note = ""
		f.judgeResolved(o, i, &r)
	case monitored: // independent of its effect on the load
		r.Note = ""
		f.judgeDetected(o, i, &r)
	case a.BadBefore:
		r.Verdict = scenarios.Fail
	case required != "" && required != scenarios.Pass:
		r.Verdict, r.Note = required, why
	case !a.Tells():
	case untouched(a) && o.Metric.Name == "onset":
		r.Note = "the share of bad requests stayed within the limit, so there is no onset"
	default:
		f.judgeValue(o, oc, a, &r)
	}
	return r
}

// unsteadyBefore describes how the steady state was violated before a fault.
func unsteadyBefore(f *composer, fault string, o slo.Objective, a impact.Answer) string {
	if a.StuckBefore {
		return "requests were in flight and none ended before " + fault
	}
	what, slow := "errors were", f.Config.Slow
	if o.Metric.Span > 0 {
		slow = o.Metric.Span
	}
	if slow > 0 {
		what = "errors and answers over " + quantity.FormatDuration(slow) + " were"
	}
	return fmt.Sprintf("%s already over %s before %s", what, quantity.FormatShare(f.c.Limit), fault)
}

// judgeValue compares a value with its target. Without recovery, the loss so far is a lower
// limit of the loss: it can fail an upper bound and cannot pass one.
func (f *composer) judgeValue(o slo.Objective, oc measure.Occurrence, a impact.Answer, r *result.ObjectiveResult) {
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
		if a.RelapsedAt.Known() {
			r.Note += ", relapsed at " + quantity.FormatSeconds(float64(a.RelapsedAt))
		}
		if a.Impact == result.NotRecovered {
			r.Measured = result.Num(math.Inf(1))
		}
	default:
		r.Measured = result.Num(v)
	}
	switch {
	case untouched(a):
		r.Note = "the share of bad requests stayed within the limit"
	case math.IsInf(v, 1):
		r.Note = "no recovery while the fault was active"
	case o.Metric.Unit == slo.Seconds && o.Metric.Name != "area" && !least:
		r.Low, r.High = faultRange(o, oc, a, v)
	}
	if a.RelapsedAt.Known() && a.RecoveredAt.Known() && (o.Metric.Name == "recover" || o.Metric.Name == "heal") {
		r.Note = "relapsed at " + quantity.FormatSeconds(float64(a.RelapsedAt)) + ", so its last recovery counts"
	}
	switch {
	case f.c.Strict && r.High.Known() && meets(o, float64(r.Low)) != meets(o, float64(r.High)):
		r.Note = "strict: the target lies within the interval"
	case met && r.High.Known() && (!meets(o, float64(r.Low)) || !meets(o, float64(r.High))):
		r.Note = fmt.Sprintf("it is known to lie between %s and %s only, and a pass needs both to hold", quantity.FormatDuration(r.Low.D().Round(time.Millisecond)), quantity.FormatDuration(r.High.D().Round(time.Millisecond)))
	case met:
		r.Verdict = scenarios.Pass
	default:
		r.Verdict = scenarios.Fail
	}
}

// untouched reports whether the share of bad requests stayed within the limit. Writes may have been lost.
func untouched(a impact.Answer) bool {
	return a.Impact == result.NotImpacted || a.Impact == result.Impacted && !a.OnsetAt.Known()
}

// faultRange is the interval of a time of a fault whose figure is v. That of a sum of times is as wide
// as the edges between which it was summed up.
func faultRange(o slo.Objective, oc measure.Occurrence, a impact.Answer, v float64) (low, high result.Num) {
	in, from := a.RecoveredIn, oc.Injected
	switch o.Metric.Name {
	case "onset":
		in = a.OnsetIn
	case "failover":
		in = a.FailoverIn
	case "heal":
		from = oc.Cleared
	case "degraded":
		if a.RecoveredIn.High.Known() && a.OnsetIn.Low.Known() {
			return result.Num(max(0, v-float64(a.OnsetIn.High-a.OnsetAt+a.RecoveredAt-a.RecoveredIn.Low))), result.Num(v + float64(a.OnsetAt-a.OnsetIn.Low+a.RecoveredIn.High-a.RecoveredAt))
		}
		width := a.Resolution.Seconds()
		return result.Num(max(0, v-width)), result.Num(v + width)
	}
	since := func(at result.Num) result.Num { return result.Num(max(0, float64(at)-from.Seconds())) }
	return since(in.Low), since(in.High)
}

// faultValue is the measured value of an objective on a fault, NaN where unknown. Least means
// that the value is a lower limit, because there was no recovery.
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
		case untouched(a):
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
