package judge

import (
	"fmt"
	"math"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/judge/answer"
	"brunt/scenarios/judge/counted"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// judgeSpread judges an objective on a percentile over the occurrences of a fault. An
// occurrence of unknown effect may be the best or the worst: where that decides, the verdict is
// inconclusive. An occurrence that failed for another reason than its value fails the
// objective.
func (f *composer) judgeSpread(o slo.Objective) result.ObjectiveResult {
	out := answer.Unanswered(o.After, noFault)
	var figures []float64
	unknown := 0
	for i, oc := range f.Faults {
		if oc.Name == "" || oc.Fault != o.After {
			continue
		}
		r := f.faultResult(o, i, f.ask(i, o))
		measured := float64(r.Measured)
		if r.Verdict == scenarios.Invalid && f.whyUnknown(i) == "" { // brunt did not see enough of it
			measured, r.Verdict = math.NaN(), scenarios.Inconclusive
		}
		switch {
		case r.Verdict == scenarios.Invalid || r.Verdict == scenarios.Fail && math.IsNaN(measured):
			return r
		case math.IsNaN(measured):
			unknown++
			out.Note = r.Note
		default:
			figures = append(figures, measured)
		}
	}
	n := len(figures) + unknown
	out.Count = int64(n)
	switch need := result.EnoughForSpread(o.Metric.Over); {
	case n == 0:
		return out
	case n < need:
		out.Note = fmt.Sprintf("%d occurrences, but at least %d are needed", n, need)
		return out
	}
	best := slices.Concat(slices.Repeat([]float64{0}, unknown), figures)
	worst := slices.Concat(figures, slices.Repeat([]float64{math.Inf(1)}, unknown))
	slices.Sort(best)
	slices.Sort(worst)
	low, high := result.OfSpread(best, o.Metric.Over), result.OfSpread(worst, o.Metric.Over)
	out.Low, out.High = result.Num(low), result.Num(high)
	if counted.Meets(o, low) != counted.Meets(o, high) {
		out.Note = fmt.Sprintf("the effect of %d of %d occurrences is unknown, and decides: %s", unknown, n, out.Note)
		return out
	}
	out.Note = ""
	if unknown == 0 {
		out.Measured = result.Num(high)
		out.Low, out.High = result.NaN, result.NaN
	}
	out.Verdict = scenarios.Fail
	if counted.Meets(o, high) {
		out.Verdict = scenarios.Pass
	}
	return out
}
