package judge

import (
	"math"

	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// judgeSpread judges an objective on a percentile, or on a share, over the occurrences of a fault. An occurrence with
// an unknown effect may be the best or the worst; if that decides, the verdict is inconclusive. The same applies to the
// intervals of occurrences: a pass must hold at both of their ends, as for a single occurrence. An occurrence that
// failed for a reason other than its value, such as a steady state that did not hold before it, fails a percentile, and
// counts as missed for a share. One whose fault brunt was unable to verify makes a percentile invalid, and is unknown
// for a share. One that brunt itself was too late to judge says nothing of the target, so that a share leaves it out.
func (f *effects) judgeSpread(o slo.Objective) result.ObjectiveResult {
	out := absent(o.After, result.FaultAbsent)
	var s requests.Spread
	var drills []result.Drill
	var late *result.ObjectiveResult // the first occurrence that was left out
	for i, oc := range f.read.Faults {
		if oc.Name == "" || !o.After.Includes(oc.Phase()) {
			continue
		}
		out.Why = ""
		r := f.faultResult(o, i)
		drills = append(drills, drillOf(oc, &r))
		known, _ := f.unknown(i)
		switch {
		case r.Verdict == scenarios.Invalid && o.Share > 0 && r.Why == result.Late:
			if late == nil {
				late = &r
			}
			continue
		case r.Verdict == scenarios.Invalid && (known == nil || o.Share > 0):
			// brunt did not observe enough of the occurrence
			r.Measured, r.Low, r.High, r.Verdict, r.Why = result.NaN, result.NaN, result.NaN, scenarios.Inconclusive, ""
		case r.Verdict == scenarios.Invalid,
			r.Verdict == scenarios.Fail && math.IsNaN(float64(r.Measured)) && o.Share == 0:
			r.Drills = drills
			return r
		}
		if s.Add(&r) {
			out.Because = r.Because
		}
	}
	if o.Share == 0 {
		s.Judge(o, f.read.c.Strict, &out)
	} else if s.JudgeShare(o, &out); out.Count == 0 && late != nil {
		out = *late
	}
	out.Drills = drills
	return out
}

// drillOf returns an occurrence with its answer to an objective.
func drillOf(oc measure.Occurrence, r *result.ObjectiveResult) result.Drill {
	return result.Drill{
		Fault: oc.Name, At: result.Sec(oc.Injected), Measured: r.Measured, Verdict: r.Verdict, Why: r.Why,
		Infinite: math.IsInf(float64(r.Measured), 1),
	}
}
