package measure

import "testing"

// TestHistograms_Damaged: a histogram whose bytes are damaged is an error.
func TestHistograms_Damaged(t *testing.T) {
	damaged := &Histograms{list: []kept{{bytes: []byte{3, 1}}}}
	if _, err := damaged.Get(1); err == nil {
		t.Error("a damaged histogram was read")
	}
}
