package chart

import (
	"testing"

	"brunt/reporters/reporterstest"
	"brunt/scenarios/result"
)

// TestOverlay_AfterTheLoad: a second in which nothing was asked for, as after the end of the load, has no rate of good
// answers.
func TestOverlay_AfterTheLoad(t *testing.T) {
	r := *reporterstest.Results()["failing"]
	for offered, want := range map[int64]string{0: "–", 5: "0/s"} {
		later := r
		later.Windows = append(append([]result.Window{}, r.Windows...), result.Window{
			T: r.Duration, D: 1, Load: "*", Step: "*", Offered: offered,
		})
		o := NewOverlay(&r, &later)
		all := o.Readout.Values["c-good"][1]
		if got := all[len(all)-1]; got != want {
			t.Errorf("%d were asked for, none was answered: %q, want %q", offered, got, want)
		}
	}
}
