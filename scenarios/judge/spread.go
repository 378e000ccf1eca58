package judge

import (
	"fmt"
	"math"

	"brunt/scenarios"
	"brunt/scenarios/judge/answer"
	"brunt/scenarios/judge/counted"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// judgeSpread judges an objective on a percentile over the occurrences of a fault. An
// occurrence of unknown effect may be the best or the worst: where that decides, the verdict is
// inconclusive. So is one where the intervals of occurrences decide, which a pass needs to hold from end to end as one
// occurrence alone does. An occurrence that failed for another reason than its value fails the
// objective.
func (f *composer) judgeSpread(o slo.Objective) result.ObjectiveResult {
	out := answer.Unanswered(o.After, noFault)
	var s answer.Spread
	for i, oc := range f.Faults {
		if oc.Name == "" || oc.Fault != o.After {
			continue
		}
		r := f.faultResult(o, i, f.ask(i, o))
		if r.Verdict == scenarios.Invalid && f.whyUnknown(i) == "" { // brunt did not see enough of it
			r.Measured, r.Low, r.High, r.Verdict = result.NaN, result.NaN, result.NaN, scenarios.Inconclusive
		}
		if r.Verdict == scenarios.Invalid || r.Verdict == scenarios.Fail && math.IsNaN(float64(r.Measured)) {
			return r
		}
		if s.Add(&r) {
			out.Note = r.Note
		}
	}
	n := s.N()
	out.Count = int64(n)
	switch need := result.EnoughForSpread(o.Metric.Over); {
	case n == 0:
		return out
	case n < need:
		out.Note = fmt.Sprintf("%d occurrences, but at least %d are needed", n, need)
		return out
	}
	best, measured, worst := s.At(o.Metric.Over)
	out.Low, out.High = result.Num(best), result.Num(worst)
	bounded := counted.Meets(o, best) == counted.Meets(o, worst)
	if s.Unknown == 0 {
		out.Measured = result.Num(measured)
	} else if !bounded {
		out.Note = fmt.Sprintf("the effect of %d of %d occurrences is unknown, and decides: %s", s.Unknown, n, out.Note)
		return out
	}
	out.Note = ""
	switch met := counted.Meets(o, measured); {
	case !bounded && f.c.Strict:
		out.Note = "strict: the target lies within the interval"
	case !bounded && met:
		out.Note = boundsDecide(&out)
	default:
		out.Verdict = answer.VerdictIf(met)
	}
	if s.Unknown == 0 && best == measured && worst == measured {
		out.Low, out.High = result.NaN, result.NaN
	}
	return out
}
