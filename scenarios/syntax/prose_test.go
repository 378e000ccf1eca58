package syntax_test

import (
	"testing"

	"brunt/scenarios/syntax"
)

// TestSentence: a sentence begins with a capital letter and ends with a stop, unless it begins with a name.
func TestSentence(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "it held": "It held.", "p95: 4% worse": "p95: 4% worse.", "p99.9 of list moved.": "p99.9 of list moved.",
		"écoute!": "Écoute!",
	} {
		if got := syntax.Sentence(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"dead was not injected": "dead was not injected.", "dead: is it down?": "dead: is it down?",
	} {
		if got := syntax.Period(text); got != want {
			t.Errorf("%q that begins with a name: %q, want %q", text, got, want)
		}
	}
}
