package requests

import (
	"math"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// Unanswered returns the result of an objective that cannot be judged.
func Unanswered(phase slo.Phase, why ...result.Note) result.ObjectiveResult {
	return result.ObjectiveResult{
		Phase: phase, Measured: result.NaN, Low: result.NaN, High: result.NaN, Verdict: scenarios.Inconclusive,
		Because: why,
	}
}

// Worse reports whether a is a worse answer to o than b: by the precedence of verdicts, then by the
// measured value.
func Worse(o slo.Objective, a, b *result.ObjectiveResult) bool {
	if a.Verdict != b.Verdict {
		return scenarios.Worse(a.Verdict, b.Verdict) == a.Verdict
	}
	x, y := float64(a.Measured), float64(b.Measured)
	switch o.Op {
	case "<", "<=":
		return x > y
	case ">", ">=":
		return x < y
	}
	return math.Abs(x-o.Value) > math.Abs(y-o.Value)
}

// VerdictIf returns pass if an objective is met, else fail.
func VerdictIf(met bool) scenarios.Verdict {
	if met {
		return scenarios.Pass
	}
	return scenarios.Fail
}

// EndsDiffer reports whether an objective holds at one place of the interval of a time, and not at another.
func EndsDiffer(o slo.Objective, r *result.ObjectiveResult) bool {
	met := Meets(o, float64(r.Measured))
	return r.High.Known() && (Meets(o, float64(r.Low)) != met || Meets(o, float64(r.High)) != met)
}

// EndsDecide returns the reason why a time is not decided: the objective holds at one end of its interval, and not at
// the other.
func EndsDecide(r *result.ObjectiveResult) result.Notes {
	return result.Notes{{Kind: result.EndsDecide, Low: r.Low, High: r.High}}
}

// Polled makes an objective inconclusive whose true value lies between low and high: brunt asks at intervals, and what
// it saw may have come earlier by some seconds.
func Polled(r *result.ObjectiveResult, earlier, low, high result.Num) {
	r.Verdict, r.Low, r.High = scenarios.Inconclusive, low, high
	r.Because = result.Notes{{Kind: result.Polled, For: earlier}}
}
