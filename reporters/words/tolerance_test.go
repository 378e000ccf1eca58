package words

import (
	"testing"

	"brunt/scenarios/result/search"
)

// TestToleranceAnswer_NotConfirmed: an answer without confidence says whether probes contradicted each other, or the
// search ended before it could confirm.
func TestToleranceAnswer_NotConfirmed(t *testing.T) {
	found := &search.Tolerance{
		Setting: search.Dose{Fault: "slow", Key: "delay", Unit: search.DoseSeconds},
		Low:     .2, High: .25, Below: search.Holds, Above: search.Breaks,
	}
	for want, partial := range map[string]bool{
		"survives 200ms, fails from 250ms, not confirmed: probes of one dose contradicted each other": false,
		"survives 200ms, fails from 250ms, not confirmed: the search ended early":                     true,
	} {
		if found.Partial = partial; ToleranceAnswer(found) != want {
			t.Errorf("got %q, want %q", ToleranceAnswer(found), want)
		}
	}
}

// TestToleranceAnswer_Ended: a search that ended before any dose was decided on says why it found nothing.
func TestToleranceAnswer_Ended(t *testing.T) {
	for want, partial := range map[string]bool{"not found": false, "not found: the search ended early": true} {
		if got := ToleranceAnswer(&search.Tolerance{Partial: partial}); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
