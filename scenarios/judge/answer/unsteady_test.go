package answer_test

import (
	"testing"

	"brunt/scenarios/impact"
	"brunt/scenarios/judge/answer"
	"brunt/scenarios/measure"
	"brunt/scenarios/slo"
)

// TestUnsteadyBefore: a limit that was computed is named with three digits.
func TestUnsteadyBefore(t *testing.T) {
	const want = "errors and answers over 69.1ms were already over 1% before f"
	if s := answer.UnsteadyBefore(&measure.Config{Slow: 69_080_390}, .01, "f", slo.Objective{}, impact.Answer{}); s != want {
		t.Errorf("%q, want %q", s, want)
	}
}
