package result_test

import (
	"strings"
	"testing"

	"brunt/scenarios/result"
)

// TestAll checks that each term has one meaning, and that each word leads to one term.
func TestAll(t *testing.T) {
	seen := map[string]string{}
	for _, term := range result.Terms() {
		for _, word := range append([]string{term.Name}, term.Also...) {
			if was := seen[word]; was != "" {
				t.Errorf("%q stands for %s and %s", word, was, term.Name)
			}
			if word != strings.ToLower(word) {
				t.Errorf("%q is not in lower case", word)
			}
			seen[word] = term.Name
		}
		if !strings.HasSuffix(term.Text, ".") {
			t.Errorf("%s: no sentence: %s", term.Name, term.Text)
		}
		if s := term.Sentence(); len(s) < 15 || len(s) > 300 || strings.Count(s, "`")%2 != 0 {
			t.Errorf("%s: the first sentence is %q", term.Name, s)
		}
	}
}

func TestFind(t *testing.T) {
	for words, want := range map[string]string{
		"hold": "hold", "In flight": "in-flight", "CPU, mean": "usage", "Burn rate": "burn", "±": "resolution",
		"first byte": "first-byte",
	} {
		if got, ok := result.FindTerm(words); !ok || got.Name != want {
			t.Errorf("%s: %q", words, got.Name)
		}
	}
	if got, ok := result.FindTerm("checkout"); ok {
		t.Errorf("checkout: %q", got.Name)
	}
}
