package requests

import (
	"math"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// Decide returns the verdict on an objective from the requests that it selects, of which there is at least one. If
// they do not suffice, it returns the reason as well. All verdicts from counted requests are decided here: those of a
// phase at the end of a run, and those so far. r has the value, the number of requests, and the interval, if known;
// the interval decides only if the judge is strict.
func Decide(
	o slo.Objective, sum *Sum, limit int, r *result.ObjectiveResult, strict bool,
) (scenarios.Verdict, result.Notes) {
	met := sum.Holds(o, limit)
	if OfSpans(o.Metric) {
		met = Meets(o, float64(r.Measured))
	}
	if need, ok := Need(o); ok && r.Count < need {
		if !met && beyondDoubt(o, sum, limit) {
			return scenarios.Fail, result.Notes{{Kind: result.TooManyBad, Count: r.Count}}
		}
		return scenarios.Inconclusive, result.Notes{{Kind: result.FewRequests, Count: r.Count, Need: need}}
	}
	if strict && !o.Fact() && !math.IsNaN(float64(r.Low)) && Meets(o, float64(r.Low)) != Meets(o, float64(r.High)) {
		return scenarios.Inconclusive, result.Notes{{Kind: result.AtTarget}}
	}
	if !met {
		return scenarios.Fail, nil
	}
	if why, shown := unshown(o, sum, limit); !shown {
		return scenarios.Inconclusive, result.Notes{why}
	}
	return scenarios.Pass, nil
}
