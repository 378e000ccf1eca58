package requests

import (
	"math"
	"slices"

	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A Spread holds one figure of the occurrences of a fault: for each its lower bound, its measured value and its upper
// bound.
type Spread struct {
	figures [][3]float64
	Unknown int // number of occurrences whose figure is not known
}

// Add adds the figure of an occurrence, and reports whether it is unknown. The figure of an occurrence that never
// recovered is infinite.
func (s *Spread) Add(r *result.ObjectiveResult) (unknown bool) {
	v := float64(r.Measured)
	figure := [3]float64{v, v, v}
	switch {
	case math.IsNaN(v):
		figure = [3]float64{0, math.Inf(1), math.Inf(1)}
		if r.Low.Known() {
			figure[0] = float64(r.Low)
		}
		s.Unknown++
	case r.Low.Known() && r.High.Known():
		figure[0], figure[2] = min(v, float64(r.Low)), max(v, float64(r.High))
	}
	s.figures = append(s.figures, figure)
	return math.IsNaN(v)
}

// Judge judges an objective on a percentile over the occurrences. If unknown occurrences, or the ends of intervals,
// decide, the verdict is inconclusive. On entry, the notes of out say why the effect of an occurrence is unknown.
func (s *Spread) Judge(o slo.Objective, strict bool, out *result.ObjectiveResult) {
	n := len(s.figures)
	out.Count = int64(n)
	switch need := result.EnoughForSpread(o.Metric.Over); {
	case n == 0:
		return
	case n < need:
		out.Because = result.Notes{{Kind: result.FewOccurrences, Count: out.Count, Need: int64(need)}}
		return
	}
	best, measured, worst := s.at(o.Metric.Over)
	out.Low, out.High = result.Num(best), result.Num(worst)
	bounded := Meets(o, best) == Meets(o, worst)
	if s.Unknown == 0 {
		out.Measured = result.Num(measured)
	} else if !bounded {
		unfit := result.Note{Kind: result.OccurrencesUnfit, Part: int64(s.Unknown), Count: out.Count}
		out.Because = append(result.Notes{unfit}, out.Because...)
		return
	}
	out.Because = nil
	switch met := Meets(o, measured); {
	case !bounded && strict:
		out.Because = result.Notes{{Kind: result.AtTarget}}
	case !bounded && met:
		out.Because = EndsDecide(out)
	default:
		out.Verdict = VerdictIf(met)
	}
	if s.Unknown == 0 && best == measured && worst == measured {
		out.Low, out.High = result.NaN, result.NaN
	}
}

// at returns percentile q, 0 to 1, of the lower bounds, the measured values and the upper bounds.
func (s *Spread) at(q float64) (least, measured, largest float64) {
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
