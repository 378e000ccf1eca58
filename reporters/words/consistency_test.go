package words

import (
	"testing"

	"brunt/scenarios/result"
)

// A divergent read says how long ago its value was replaced, and who read the newer one.
func TestWitnessText_Divergent(t *testing.T) {
	w := &result.Witness{Kind: result.AnomalyDivergent, Register: "k1", Age: 14, Operations: []result.Operation{
		{Session: "main 1", Write: true, Value: "a", Begin: 0, End: .1, Outcome: result.WriteAcknowledged},
		{Session: "main 1", Write: true, Value: "b", Begin: 2, End: 2.1, Outcome: result.WriteAcknowledged},
		{Session: "main 2", Value: "b", Begin: 15, End: 15.1},
		{Session: "main 3", Value: "a", Begin: 16, End: 16.1, Convicts: true},
	}}
	want := "main 3 read a of register k1 at 16s, replaced 14s before, while no fault was in, and main 2 read b"
	if got := WitnessText(w); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
