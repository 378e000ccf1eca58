package run

import (
	"testing"

	"brunt/scenarios/judge"
)

// TestFailingText: shares have three digits, as all other measured ones.
func TestFailingText(t *testing.T) {
	got := failingText(judge.FailingBaseline{Bad: 291, N: 538, Allowed: .0123456}, "read")
	want := "291 of 538 requests before the first fault were bad, 54.1%, and the scenario allows 1.23%; most of them at read"
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
