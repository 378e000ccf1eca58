package words_test

import (
	"testing"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// TestDecisionSentence: the name of a metric stays as it is written, also where it begins a sentence.
func TestDecisionSentence(t *testing.T) {
	d := &result.Decision{Metrics: []result.Judged{{Name: "cpu of posts[0]"}}}
	for says, want := range map[string]string{
		"cpu of posts[0] can't be decided": "cpu of posts[0] can't be decided.", "p50: 4% worse": "p50: 4% worse.",
		"not compared: rate": "Not compared: rate.", "cpus are few": "Cpus are few.",
	} {
		if got := words.DecisionSentence(d, says); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
