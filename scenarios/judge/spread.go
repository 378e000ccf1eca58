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
// inconclusive. So is one where the intervals of occurrences decide, which a pass needs to hold from end to end as one
// occurrence alone does. An occurrence that failed for another reason than its value fails the
// objective.
func (f *composer) judgeSpread(o slo.Objective) result.ObjectiveResult {
	out := answer.Unanswered(o.After, noFault)
	var s spread
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
		if s.add(&r) {
			out.Note = r.Note
		}
	}
	n := len(s.figures)
	out.Count = int64(n)
	switch need := result.EnoughForSpread(o.Metric.Over); {
	case n == 0:
		return out
	case n < need:
		out.Note = fmt.Sprintf("%d occurrences, but at least %d are needed", n, need)
		return out
	}
	best, measured, worst := s.at(o.Metric.Over)
	out.Low, out.High = result.Num(best), result.Num(worst)
	if s.unknown == 0 {
		out.Measured = result.Num(measured)
	} else if counted.Meets(o, best) != counted.Meets(o, worst) {
		out.Note = fmt.Sprintf("the effect of %d of %d occurrences is unknown, and decides: %s", s.unknown, n, out.Note)
		return out
	}
	out.Note = ""
	switch bounded := counted.Meets(o, best) == counted.Meets(o, worst); {
	case !bounded && f.c.Strict:
		out.Note = "strict: the target lies within the interval"
	case !bounded && counted.Meets(o, measured):
		out.Note = fmt.Sprintf("it is known to lie between %s and %s only, and a pass needs both to hold", precisely(out.Low), precisely(out.High))
	default:
		out.Verdict = answer.VerdictIf(counted.Meets(o, measured) && bounded)
	}
	if s.unknown == 0 && best == measured && worst == measured {
		out.Low, out.High = result.NaN, result.NaN
	}
	return out
}

// A spread holds a figure of the occurrences of a fault: the least, the measured and the largest that each may be.
type spread struct {
	figures [][3]float64
	unknown int
}

// add takes the figure of an occurrence, and reports whether it is unknown. One that never recovered is infinite.
func (s *spread) add(r *result.ObjectiveResult) (unknown bool) {
	v := float64(r.Measured)
	figure := [3]float64{v, v, v}
	switch {
	case math.IsNaN(v):
		figure = [3]float64{0, math.Inf(1), math.Inf(1)}
		if r.Low.Known() {
			figure[0] = float64(r.Low)
		}
		s.unknown++
	case r.Low.Known() && r.High.Known():
		figure[0], figure[2] = min(v, float64(r.Low)), max(v, float64(r.High))
	}
	s.figures = append(s.figures, figure)
	return math.IsNaN(v)
}

// at is the percentile of the least, the measured and the largest figures.
func (s *spread) at(q float64) (least, measured, largest float64) {
	var out [3]float64
	for k := range out {
		var column []float64
		for _, figure := range s.figures {
			column = append(column, figure[k])
		}
		slices.Sort(column)
		out[k] = result.OfSpread(column, q)
	}
	return out[0], out[1], out[2]
}
