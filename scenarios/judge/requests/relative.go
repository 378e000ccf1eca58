// A relative objective has a target that is a multiple of a value measured in the same run, such as `p95 < 110% of
// baseline`.
//
//	objective --OfReference--> the reference value --measured, with its interval--> Judge --> answer
//
// The judged value is a fact about the requests of its phase, as for any objective. The value of the reference is an
// estimate: another baseline of the same target would give another value. So the verdict is pass or fail only if it
// is the same at both ends of the reference's 95 % interval.

package requests

import (
	"math"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// WithReferences returns the objectives and, for each relative one, the objective on its reference.
func WithReferences(list []slo.Objective) []slo.Objective {
	out := list
	for _, o := range list {
		if o.Relative() {
			out = append(out[:len(out):len(out)], o.OfReference())
		}
	}
	return out
}

// AsksRelative reports whether an objective is the objective on a reference: it asks for a value and an interval and
// has no target.
func AsksRelative(o slo.Objective) bool { return math.IsNaN(o.Value) }

// Either combines two results of a reference, as measured and without brunt's own time, into one whose interval
// contains both.
func Either(a, b result.ObjectiveResult) result.ObjectiveResult {
	if !a.Measured.Known() || !b.Measured.Known() {
		return a
	}
	al, ah := ends(a)
	bl, bh := ends(b)
	if min(al, bl) != max(ah, bh) {
		a.Low, a.High = result.Num(min(al, bl)), result.Num(max(ah, bh))
	}
	return a
}

// ends returns the interval of a value, or the value itself if no interval is known.
func ends(r result.ObjectiveResult) (low, high float64) {
	low, high = float64(r.Low), float64(r.High)
	if math.IsNaN(low) || math.IsNaN(high) {
		return float64(r.Measured), float64(r.Measured)
	}
	return low, high
}

// RelativeTarget returns the target of a judged objective, with the value of its reference filled in; NaN if the
// reference is not known.
func RelativeTarget(o slo.Objective, r *result.ObjectiveResult) result.Num {
	if r.Reference == nil {
		return result.Num(o.Value)
	}
	return result.Num(o.Against(float64(r.Reference.Measured)).Value)
}

// JudgeRelative judges a relative objective by the result of its reference. judge judges the objective with a fixed
// target.
func JudgeRelative(
	o slo.Objective, reference result.ObjectiveResult, judge func(slo.Objective) result.ObjectiveResult,
) result.ObjectiveResult {
	of, text := float64(reference.Measured), o.Reference.String()
	if why := unusable(o, reference); why != nil {
		r := judge(o)
		r.Verdict, r.Because = scenarios.Inconclusive, why
		return r
	}
	low, high := ends(reference)
	r := judge(o.Against(of))
	r.Reference = &result.Reference{
		Of: text, Factor: result.Num(o.Reference.Factor), Measured: reference.Measured,
		Low: reference.Low, High: reference.High,
	}
	if r.Verdict != scenarios.Pass && r.Verdict != scenarios.Fail {
		return r
	}
	switch atLow, atHigh := judge(o.Against(low)).Verdict, judge(o.Against(high)).Verdict; {
	case of == 0 && float64(r.Measured) == 0:
		if o.Op == "<" || o.Op == ">" {
			r.Verdict = scenarios.Inconclusive
			r.Because = result.Notes{{Kind: result.ReferenceSame}}
		}
	case atLow != r.Verdict || atHigh != r.Verdict:
		r.Verdict, r.Because = scenarios.Inconclusive, result.Notes{
			{Kind: result.ReferenceDecides, Of: text, Low: result.Num(low), High: result.Num(high)},
		}
	case len(r.Because) == 0:
		r.Because = result.Notes{{Kind: result.ReferenceIs, Of: text, Value: reference.Measured}}
	}
	return r
}

// unusable explains why an objective can't be compared with a reference; nil if it can.
func unusable(o slo.Objective, reference result.ObjectiveResult) result.Notes {
	text := o.Reference.String()
	switch {
	case math.IsInf(float64(reference.Measured), 0):
		return result.Notes{{Kind: result.ReferenceInfinite, Of: text}}
	case reference.Verdict == scenarios.Inconclusive && len(reference.Because) > 0:
		return append(result.Notes{{Kind: result.ReferenceUndone}}, reference.Because...)
	case !reference.Measured.Known():
		return result.Notes{{Kind: result.ReferenceUnknown, Of: text}}
	}
	return nil
}
