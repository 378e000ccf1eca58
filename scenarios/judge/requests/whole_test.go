package requests

import (
	"testing"

	"brunt/scenarios/measure"
	"brunt/scenarios/result"
)

// TestLacking: a share of partial answers that grew by chance is neither grown nor as before.
func TestLacking(t *testing.T) {
	for _, c := range []struct {
		name                          string
		partial, wants, before, known int64 // in the phase, and in the baseline
		want                          result.Answer
	}{
		{"none of many", 0, 500, 0, 1000, result.No},
		{"none, and none expects parts", 0, 0, 0, 0, result.No},
		{"none of few", 0, 3, 0, 5, result.No},
		{"a third, and none before", 100, 300, 0, 1000, result.Yes},
		{"a third as before", 100, 300, 400, 1000, result.No},
		{"a tenth as before", 30, 300, 100, 1000, result.No},
		{"1 of 3, and a third of many before", 1, 3, 400, 1000, result.Untested},
		{"2 of 12, and none of 20 before", 2, 12, 0, 20, result.Untested},
		{"3 of 500, and none of 1000 before", 3, 500, 0, 1000, result.Untested},
		{"some, and no baseline", 3, 10, 0, 0, result.Untested},
	} {
		during, before := &measure.Counts{}, &measure.Counts{}
		during.Partial, during.Wants, before.Partial, before.Wants = c.partial, c.wants, c.before, c.known
		if _, _, got := Lacking(during, before); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
