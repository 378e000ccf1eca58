package judge

import (
	"testing"

	"brunt/scenarios/impact"
	"brunt/scenarios/measure"
	"brunt/scenarios/slo"
)

// TestUnsteadyBefore: a limit that was computed is named with three digits.
func TestUnsteadyBefore(t *testing.T) {
	f := &readings{Recording: &measure.Recording{Config: measure.Config{Slow: 69_080_390}}, c: Case{Limit: .01}}
	const want = "errors and answers over 69.1ms were already over 1% before f"
	if s := unsteadyBefore(f, "f", slo.Objective{}, impact.Answer{}); s != want {
		t.Errorf("%q, want %q", s, want)
	}
}
