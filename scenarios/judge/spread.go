package judge

import (
	"math"

	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// judgeSpread judges an objective on a percentile over the occurrences of a fault. An occurrence with an unknown
// effect may be the best or the worst; if that decides, the verdict is inconclusive. The same applies to the
// intervals of occurrences: a pass must hold at both of their ends, as for a single occurrence. An occurrence that
// failed for a reason other than its value fails the objective.
func (f *effects) judgeSpread(o slo.Objective) result.ObjectiveResult {
	out := absent(o.After, result.FaultAbsent)
	var s requests.Spread
	for i, oc := range f.read.Faults {
		if oc.Name == "" || !o.After.Includes(oc.Phase()) {
			continue
		}
		out.Why = ""
		r := f.faultResult(o, i)
		if known, _ := f.unknown(i); r.Verdict == scenarios.Invalid && known == nil {
			// brunt did not observe enough of the occurrence
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
