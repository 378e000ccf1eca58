package measure

import "testing"

// TestHistograms_Damaged: a histogram whose bytes are damaged is an error.
func TestHistograms_Damaged(t *testing.T) {
	damaged := &Histograms{list: []kept{{bytes: []byte{3, 1}}}}
	if _, err := damaged.Get(1); err == nil {
		t.Error("a damaged histogram was read")
	}
}

// TestHistograms: a histogram is found by the number that it got, an empty one has none, and copies do not share what
// is added to them.
func TestHistograms(t *testing.T) {
	tally := func(n int64) *Tally { return &Tally{at: []uint16{3}, n: []int64{n}, Total: n} }
	h := &Histograms{}
	if n := h.Put(&Tally{}, 0, 0); n != 0 {
		t.Errorf("an empty histogram has the number %d", n)
	}
	for i := range 3 { // then the list has room for one more
		if n := h.Put(tally(int64(i+1)), 0, 0); n != i+1 {
			t.Errorf("histogram %d has the number %d", i+1, n)
		}
	}
	a, b := h.Fork(), h.Fork()
	of := map[*Histograms]int64{a: 10, b: 20}
	for _, fork := range []*Histograms{a, b} {
		if n := fork.Put(tally(of[fork]), 0, 0); n != 4 {
			t.Errorf("the fourth histogram has the number %d", n)
		}
	}
	for fork, want := range of {
		for n, want := range []int64{0, 1, 2, 3, want, 0} {
			got, err := fork.Get(n)
			if err != nil || (got == nil) != (want == 0) || got != nil && got.TotalCount() != want {
				t.Errorf("histogram %d is %v, %v; want %d requests", n, got, err, want)
			}
		}
	}
}
