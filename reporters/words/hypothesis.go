package words

import (
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
	switch r.Verdict {
	case scenarios.Pass:
		if found = "held"; r.Control {
			found = "not tested, as no fault was injected"
		}
	case scenarios.Fail:
		found = "refuted"
	case scenarios.Running, scenarios.Pending:
		found = "under test"
	}
	return "Hypothesis: " + found + ". " + syntax.Sentence(text)
}
