package judge

import (
	"math"

	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// judgeSpread judges an objective on a percentile over the occurrences of a fault. An
// occurrence of unknown effect may be the best or the worst: where that decides, the verdict is
// inconclusive. So is one where the intervals of occurrences decide, which a pass needs to hold from end to end as one
// occurrence alone does. An occurrence that failed for another reason than its value fails the
// objective.
func (f *effects) judgeSpread(o slo.Objective) result.ObjectiveResult {
	out := absent(o.After, result.FaultAbsent)
	var s requests.Spread
	for i, oc := range f.read.Faults {
		if oc.Name == "" || !o.After.Includes(oc.Phase()) {
			continue
		}
		out.Why = ""
		r := f.faultResult(o, i)
		if known, _ := f.unknown(i); r.Verdict == scenarios.Invalid && known == nil { // brunt did not see enough of it
			r.Measured, r.Low, r.High, r.Verdict, r.Why = result.NaN, result.NaN, result.NaN, scenarios.Inconclusive, ""
		}
		if r.Verdict == scenarios.Invalid || r.Verdict == scenarios.Fail && math.IsNaN(float64(r.Measured)) {
			return r
		}
		if s.Add(&r) {
			out.Because = r.Because
		}
	}
	s.Judge(o, f.read.c.Strict, &out)
	return out
}
