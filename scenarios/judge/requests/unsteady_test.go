package requests_test

import (
	"testing"

	"brunt/scenarios/judge/effect"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/slo"
)

// TestUnsteadyBefore: a limit that was computed is named with three digits.
func TestUnsteadyBefore(t *testing.T) {
	const want = "errors and answers over 69.1ms were already over 1% before f"
	if s := requests.UnsteadyBefore(&measure.Config{Slow: 69_080_390}, .01, "f", slo.Objective{},
		effect.Answer{}).Phrase(nil); s != want {
		t.Errorf("%q, want %q", s, want)
	}
}
