package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brunt/scenarios/decide/capacity"
	"brunt/scenarios/result/search"
)

// TestTrend_Tolerance: a cliff that moved over the searches of a history is said once, at the search that shows it,
// with the level before; so is one that came back. A search that overlaps the level, or that is not confirmed, is no
// move.
func TestTrend_Tolerance(t *testing.T) {
	history := t.TempDir()
	unsure := cliff("c", 3, .01, .02)
	unsure.Confidence = 0
	for _, found := range []*search.Tolerance{
		cliff("a", 1, .33, .34), cliff("b", 2, .32, .335), unsure,
		cliff("d", 4, .115, .12), cliff("e", 5, .11, .12), cliff("f", 6, .33, .35),
	} {
		if err := capacity.Add(history, found); err != nil {
			t.Fatal(err)
		}
	}
	c := trendCommand()
	var b strings.Builder
	page := filepath.Join(t.TempDir(), "trend.html")
	c.SetOut(&b)
	c.SetArgs([]string{"--history", history, "--html", page})
	if err := c.Execute(); err != nil {
		t.Fatal(err)
	}
	moves := map[string]string{
		" d ": "survives 115ms, fails from 120ms  tolerates less than since 1970-01-02 00:00: survives 330ms, fails from 340ms",
		" f ": "survives 330ms, fails from 350ms  tolerates more than since 1970-01-05 00:00: survives 115ms, fails from 120ms",
	}
	for line := range strings.Lines(b.String()) {
		want := ""
		for commit, text := range moves {
			if strings.Contains(line, commit) {
				want = text
				delete(moves, commit)
			}
		}
		if moved := strings.Contains(line, "tolerates"); moved != (want != "") || !strings.Contains(line, want) {
			t.Errorf("%q, want %q", line, want)
		}
	}
	text, err := os.ReadFile(page)
	if err != nil || strings.Count(string(text), "tolerates less than since 1970-01-02 00:00") != 1 {
		t.Errorf("the page does not say once that the cliff moved: %v", err)
	}
	if len(moves) > 0 {
		t.Errorf("not in the output: %v\n%s", moves, b.String())
	}
}
