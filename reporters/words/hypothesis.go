package words

import (
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// Hypothesis returns the hypothesis of a run, preceded by the run's finding about it; empty if there is none.
func Hypothesis(r *result.Result) string {
	text := Clean(r.Hypothesis)
	if text == "" {
		return ""
	}
	found := "not decided"
	switch v := r.Verdict; {
	case v == scenarios.Running, v == scenarios.Pending:
		found = "under test"
	case (v == scenarios.Pass || v == scenarios.Fail) && uninjected(r):
		found = "not tested, as no fault was injected"
	case v == scenarios.Pass:
		found = "held"
	case v == scenarios.Fail:
		found = "refuted"
	}
	return "Hypothesis: " + found + ". " + syntax.Sentence(text)
}

// uninjected reports whether a run planned to break something and broke nothing.
func uninjected(r *result.Result) bool {
	planned := len(r.Faults) > 0 || len(r.Reasons) > 0 && r.Reasons[0].Refused()
	return r.Control || planned && len(conditionsIn(r)) == 0 &&
		!slices.ContainsFunc(r.Faults, func(f result.FaultRecord) bool { return f.Injected.Known() })
}

// conditionsIn names the conditions of a run that are shown to have been in. They were in for the whole load.
func conditionsIn(r *result.Result) (names []string) {
	for i := range r.Conditions {
		if c := &r.Conditions[i]; c.Evidence != "" {
			names = append(names, c.Name)
		}
	}
	return names
}
