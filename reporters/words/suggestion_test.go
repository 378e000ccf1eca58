package words_test

import (
	"strings"
	"testing"

	"brunt/reporters/words"
	"brunt/scenarios/result/search"
	"brunt/scenarios/syntax"
)

// TestSuggestionYAML: the proposals are YAML, also where a step's name has the characters of a comment or of a key, and
// the comments are as wide as asked.
func TestSuggestionYAML(t *testing.T) {
	s := &search.Suggestion{
		Name: "shop", Runs: []string{"a", "b"}, Rate: .05, Confidence: .95, Any: .776, Enough: 59,
		Objectives: []search.Suggested{
			{Text: `p95 < 12ms of "it's a #1: list" in baseline`, Unit: "seconds", Low: .0081, High: .0093, Bound: .047},
			{Text: "posts.memory < 80MiB", Unit: "bytes", Low: 60 << 20, High: 62 << 20, Bound: .001},
		},
		Left: []search.LeftOut{{Text: "p99 in baseline", Why: search.LacksValue, Runs: 2}},
	}
	text := words.SuggestionYAML(s, 80)
	root := syntax.Resolved(text)
	if root == nil || root.Get("slo") == nil || len(root.Get("slo").Items) != 2 {
		t.Fatalf("not YAML:\n%s", text)
	}
	for i, item := range root.Get("slo").Items {
		if item.Value != s.Objectives[i].Text {
			t.Errorf("objective %d is %q, want %q", i, item.Value, s.Objectives[i].Text)
		}
	}
	for line := range strings.Lines(text) {
		if strings.Contains(line, "# ") && len(line) > 81 {
			t.Errorf("a comment of %d columns: %s", len(line), line)
		}
	}
	for _, want := range []string{
		"8.1ms to 9.3ms; an unchanged build fails in at most 4.7%", "fail in at most 4.8% of", "77.6%",
		"too few requests in 2 runs or parts",
	} {
		if !strings.Contains(strings.ReplaceAll(text, "\n# ", " "), want) {
			t.Errorf("%q is missing:\n%s", want, text)
		}
	}
}
