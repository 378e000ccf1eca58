package words

import (
	"strings"
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
	for want, partial := range map[string]bool{"not found": false, "not found: the search ended early": true} {
		found.Below, found.Partial = "", partial
		if got := ToleranceAnswer(found); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestToleranceDetails_Disturbed: where most probes were disturbed, the page says so; where few were, it does not.
func TestToleranceDetails_Disturbed(t *testing.T) {
	for disturbed, want := range map[int]string{
		3: "3 of 5 probes were disturbed, and made again: a quieter machine answers sooner.", 2: "",
	} {
		found := &search.Tolerance{}
		for i := range 5 {
			answer := search.Holds
			if i < disturbed {
				answer = search.Disturbed
			}
			found.Probes = append(found.Probes, search.Probed{Answer: answer})
		}
		if got := strings.Join(ToleranceDetails(found), " "); got != want {
			t.Errorf("%d disturbed: %q, want %q", disturbed, got, want)
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
