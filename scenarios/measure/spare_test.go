package measure

import (
	"testing"

	"brunt/scenarios"
)

// TestSorter_Spare: a buffer that is large enough for each second fold is kept, although the folds between need little
// of it, and one that a burst made large is dropped in the end.
func TestSorter_Spare(t *testing.T) {
	large := make([]scenarios.Outcome, 2*backlog)
	var s sorter
	for range 200 {
		if s.spare(large) == nil || s.spare(large[:10]) == nil {
			t.Fatal("a buffer that is needed again is dropped")
		}
	}
	kept := 0
	for s.spare(large[:10]) != nil {
		if kept++; kept > 1000 {
			t.Fatal("a buffer that nothing needs is kept")
		}
	}
	if kept < 10 {
		t.Errorf("a buffer is dropped after %d folds", kept)
	}
	small := make([]scenarios.Outcome, backlog)
	for range 1000 {
		if s.spare(small[:1]) == nil {
			t.Fatal("a small buffer is dropped")
		}
	}
}
