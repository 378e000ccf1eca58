package requests

import (
	"math"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A Spread holds one figure of the occurrences of a fault: for each its lower bound, its measured value and its upper
// bound.
type Spread struct {
	figures [][3]float64
	Unknown int // number of occurrences whose figure is not known

	met, missed int64 // occurrences that meet the target for certain, and that miss it for certain
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
	switch r.Verdict {
	case scenarios.Pass:
		s.met++
	case scenarios.Fail:
		s.missed++
	}
	return math.IsNaN(v)
}

// Judge judges an objective on a percentile over the occurrences. If unknown occurrences, or the ends of intervals,
// decide, the verdict is inconclusive. On entry, the notes of out say why the effect of an occurrence is unknown.
func (s *Spread) Judge(o slo.Objective, out *result.ObjectiveResult) {
	n := len(s.figures)
	out.Count = int64(n)
	switch need := NeedOccurrences(o); {
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
	if bounded {
		out.Verdict = VerdictIf(Meets(o, measured))
	} else {
		out.Because = EndsDecide(out)
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

// JudgeShare judges an objective on the share of occurrences that meet its target. It passes if the exact 95 % lower
// bound of the share (Clopper and Pearson, 1934) is at least the asked one, and fails if the upper bound is less. An
// occurrence with an unknown answer may have met the target or not, and both must give the same verdict. Otherwise the
// verdict is inconclusive, with the number of occurrences that would show it.
//
// The bounds are about occurrences under the conditions of this run, whose number the scenario fixes. What differs from
// one run to the next, such as the place of a leader, they do not cover.
func (s *Spread) JudgeShare(o slo.Objective, out *result.ObjectiveResult) {
	n := int64(len(s.figures))
	if out.Count = n; n == 0 {
		return
	}
	_, measured, _ := s.at(o.Share)
	if s.Unknown == 0 {
		out.Measured = result.Num(measured)
	}
	unknown := n - s.met - s.missed
	low := effect.LowerBound(float64(s.met), float64(n), effect.Confidence)
	high := effect.UpperBound(float64(s.met+unknown), float64(n), effect.Confidence)
	why := result.Note{ // bounds are rounded away from the share that they show
		Part: s.met, Count: n, Limit: result.Num(o.Share),
		Low: result.Num(math.Floor(low*1000) / 1000), High: result.Num(math.Ceil(high*1000) / 1000),
	}
	switch {
	case low >= o.Share:
		out.Verdict, why.Kind = scenarios.Pass, result.ShareShown
	case high < o.Share:
		out.Verdict, why.Kind = scenarios.Fail, result.ShareMissed
	case unknown > 0:
		untold := result.Note{Kind: result.OccurrencesUnfit, Part: unknown, Count: n}
		if len(out.Because) == 0 { // their times are known, but not on which side of the target
			untold.Kind = result.OccurrencesNear
		}
		out.Because = append(result.Notes{untold}, out.Because...)
		return
	default:
		why.Kind, why.Need = result.ShareOpen, effect.EnoughOccurrences(o.Share, s.missed)-n
	}
	out.Because = result.Notes{why}
}
