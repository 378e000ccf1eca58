package evidence

import (
	"os"
	"slices"
	"testing"

	"brunt/reporters/reporterstest"
	"brunt/scenarios"
)

// TestInOrder checks that sorting in pieces gives the same order as sorting at once, and
// leaves no file.
func TestInOrder(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	m := reporterstest.SomeRequests(1000)
	want := slices.Clone(m.List)
	slices.SortStableFunc(want, byIntended)
	for _, atOnce := range []int{1, 7, 250, 999, 1000, 5000} {
		r, _, err := reporterstest.EncodedRequests(m.Bytes(t)).Open()
		if err != nil {
			t.Fatal(err)
		}
		var got []scenarios.Outcome
		for o, err := range inOrder(r, atOnce) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, *o)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d at once: %d requests in another order", atOnce, len(got))
		}
	}
	left, err := os.ReadDir(os.Getenv("TMPDIR"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}
