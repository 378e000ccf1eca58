package judge

import (
	"math"

	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// judgeSpread judges an objective on a percentile, or on a share, over the occurrences of a fault. An occurrence with
// an unknown effect may be the best or the worst; if that decides, the verdict is inconclusive. The same applies to the
// intervals of occurrences: a pass must hold at both of their ends, as for a single occurrence. An occurrence that
// failed for a reason other than its value, such as an impact that was required and is missing, fails a percentile, and
// counts as missed for a share. One whose steady state did not hold before it fails a percentile, and is unknown for a
// share: the load was bad without the fault, so that nothing shows how long the target takes to recover from it. The
// run fails for the steady state itself; see [FaultFinding.Unsteady]. An occurrence whose fault brunt was unable to
// verify makes a percentile invalid, unless the other occurrences fail it at any value of this one. It is unknown for a
// share. Of these the worst verdict counts. One that brunt itself was too late to judge says nothing of the target, so
// that a share leaves it out.
func (f *effects) judgeSpread(o slo.Objective) result.ObjectiveResult {
	out := absent(o.After, result.FaultAbsent)
	var s requests.Spread
	var drills []result.Drill
	var late *result.ObjectiveResult  // the first occurrence that was left out
	var whole *result.ObjectiveResult // the worst occurrence that decides a percentile by itself
	for i, oc := range f.read.Faults {
		if oc.Name == "" || !o.After.Includes(oc.Phase()) {
			continue
		}
		out.Why = ""
		r := f.faultResult(o, i)
		drills = append(drills, f.drillOf(o, i, &r))
		_, unknown, _ := f.unknown(i)
		switch {
		case o.Share > 0 && f.failedBefore(o, i, &r):
			r.Verdict = scenarios.Inconclusive
		case r.Verdict == scenarios.Invalid && o.Share > 0 && r.Why == result.Late:
			if late == nil {
				late = &r
			}
			continue
		case r.Verdict == scenarios.Invalid && (unknown == nil || o.Share > 0): // brunt did not observe enough of it
		case r.Verdict == scenarios.Invalid,
			r.Verdict == scenarios.Fail && math.IsNaN(float64(r.Measured)) && !r.Low.Known() && o.Share == 0:
			if whole == nil || whole.Verdict != r.Verdict && scenarios.Worse(whole.Verdict, r.Verdict) == r.Verdict {
				decides := r
				whole = &decides
			}
			if r.Verdict == scenarios.Fail {
				continue
			}
		}
		if r.Verdict == scenarios.Invalid {
			r.Measured, r.Low, r.High, r.Verdict, r.Why = result.NaN, result.NaN, result.NaN, scenarios.Inconclusive, ""
		}
		if s.Add(&r) {
			out.Because = r.Because
		}
	}
	switch {
	case o.Share == 0:
		s.Judge(o, &out)
		if whole != nil && (whole.Verdict == scenarios.Fail || out.Verdict != scenarios.Fail) {
			out = *whole
		}
	default:
		if s.JudgeShare(o, &out); out.Count == 0 && late != nil {
			out = *late
		}
	}
	out.Drills = drills
	return out
}

// failedBefore reports whether an objective on occurrence i fails because the steady state did not hold before it.
func (f *effects) failedBefore(o slo.Objective, i int, r *result.ObjectiveResult) bool {
	return r.Verdict == scenarios.Fail && o.Metric.Row().Effect != nil && f.ask(i, o).BadBefore
}

// drillOf returns occurrence i with its answer to an objective. If the steady state did not hold before it, the answer
// is unknown.
func (f *effects) drillOf(o slo.Objective, i int, r *result.ObjectiveResult) result.Drill {
	oc, verdict := f.read.Faults[i], r.Verdict
	if f.failedBefore(o, i, r) {
		verdict = scenarios.Inconclusive
	}
	return result.Drill{
		Fault: oc.Name, At: result.Sec(oc.Injected), Measured: r.Measured, Verdict: verdict, Why: r.Why,
		Infinite: math.IsInf(float64(r.Measured), 1),
	}
}
