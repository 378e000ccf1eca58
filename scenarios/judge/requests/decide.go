package requests

import (
	"math"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// Decide is the verdict on an objective by requests that it selects, of which there is at least one, with the reason
// where they do not tell. Each question about counted requests is decided here: of a phase at the end of a run, and of
// what is counted while it goes on. R has the value, how many requests there are, and the interval, if one is known; it
// decides where the judge is strict.
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
