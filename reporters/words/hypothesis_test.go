package words_test

import (
	"testing"

	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
)

func TestHypothesis(t *testing.T) {
	for _, tt := range []struct {
		verdict scenarios.Verdict
		control bool
		want    string
	}{
		{scenarios.Pass, false, "Hypothesis: held. It works."},
		{scenarios.Pass, true, "Hypothesis: not tested, as no fault was injected. It works."},
		{scenarios.Fail, false, "Hypothesis: refuted. It works."},
		{scenarios.Invalid, false, "Hypothesis: not decided. It works."},
		{scenarios.Inconclusive, false, "Hypothesis: not decided. It works."},
		{scenarios.Running, false, "Hypothesis: under test. It works."},
	} {
		if got := words.Hypothesis(&result.Result{
			Hypothesis: "It works", Verdict: tt.verdict, Control: tt.control,
		}); got != tt.want {
			t.Errorf("%s: %s", tt.verdict, got)
		}
	}
	if got := words.Hypothesis(&result.Result{Verdict: scenarios.Pass}); got != "" {
		t.Errorf("no hypothesis is %q", got)
	}
}
