package judge

import (
	"testing"
	"time"

	"brunt/scenarios/judge/effect"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
)

// TestTied_Unit: a unit of a fault that falls ill with harm shows that the fault did the harm: at most a hold before
// it, and before its end. A unit that fell ill for another reason shows nothing.
func TestTied_Unit(t *testing.T) {
	const hold = 2 * time.Second
	harm := effect.Incident{Begin: 10 * time.Second, End: 20 * time.Second}
	harm.BeginIn = effect.Range{Low: result.Sec(harm.Begin), High: result.Sec(harm.Begin)}
	for _, tt := range []struct {
		ill   time.Duration
		apart bool
		want  result.Evidence
	}{
		{8*time.Second - 1, false, ""},
		{8 * time.Second, false, result.ByUnit},
		{15 * time.Second, false, result.ByUnit},
		{15 * time.Second, true, ""},
		{20*time.Second - 1, false, result.ByUnit},
		{20 * time.Second, false, ""},
	} {
		f := &readings{
			Recording: &measure.Recording{History: measure.History{
				Faults: []measure.Occurrence{{Name: "f", Injected: time.Second}},
			}},
			c: Case{Hold: hold, Occurrences: []Occurrence{{Unwell: []requests.Span{{From: tt.ill, To: time.Minute}}}}},
		}
		if tt.apart {
			f.c.Occurrences[0].Apart = []time.Duration{tt.ill}
		}
		if got := f.tied(0, harm); got != tt.want {
			t.Errorf("ill at %v (apart: %v): the evidence is %q, want %q", tt.ill, tt.apart, got, tt.want)
		}
	}
}
