package result_test

import (
	"math"
	"testing"

	"brunt/scenarios/result"
)

// TestSplit: the parts of a split lie between the marks that exist and in their order; others are unknown, not zero.
func TestSplit(t *testing.T) {
	nan, inf := float64(result.NaN), math.Inf(1)
	for _, c := range []struct {
		name                    string
		seen, understood, acted float64 // NaN: no mark
		recovered               float64
		impact                  result.Impact
		want                    [6]float64 // detect, decide, act, recover, total, machine
		stretches               int
	}{
		{"whole", 73, 193, 283, 295, result.Impacted, [6]float64{63, 120, 90, 12, 285, 12}, 4},
		{"not understood", 73, nan, 283, 295, result.Impacted, [6]float64{63, nan, nan, 12, 285, 12}, 3},
		{"no mark", nan, nan, nan, 295, result.Impacted, [6]float64{nan, nan, nan, nan, 285, nan}, 0},
		{"recovered before the action", 73, 193, 300, 295, result.Impacted, [6]float64{63, 120, 107, nan, 285, nan}, 0},
		{"out of order", 193, 73, 283, 295, result.Impacted, [6]float64{183, nan, 210, 12, 285, 12}, 0},
		{"not recovered", 73, 193, 283, nan, result.NotRecovered, [6]float64{63, 120, 90, inf, inf, inf}, 0},
		{"not so far", 73, nan, nan, nan, result.UnknownYet, [6]float64{63, nan, nan, nan, nan, nan}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := result.FaultRecord{
				Injected: 10, OnsetAt: 11, RecoveredAt: result.Num(c.recovered), Impact: c.impact,
				Operator: &result.OperatorRecord{Asked: result.NaN, AtMost: result.NaN},
			}
			for k, at := range map[result.MarkKind]float64{
				result.Seen: c.seen, result.Understood: c.understood, result.Acted: c.acted,
			} {
				if !math.IsNaN(at) && (!f.Operator.Add(k, result.Mark{At: result.Num(at)}) ||
					f.Operator.Add(k, result.Mark{At: 1})) {
					t.Errorf("the first mark %s does not stay alone", k)
				}
			}
			s := f.SplitTime()
			f.Operator.Split = s
			got := [6]float64{
				float64(s.Detect), float64(s.Decide), float64(s.Act), float64(s.Recover), float64(s.Total), float64(s.Machine),
			}
			for i := range got {
				if got[i] != c.want[i] && !(math.IsNaN(got[i]) && math.IsNaN(c.want[i])) {
					t.Errorf("%v, want %v", got, c.want)
					break
				}
			}
			if n := len(f.Stretches()); n != c.stretches {
				t.Errorf("%d stretches, want %d", n, c.stretches)
			}
		})
	}
}

// TestMinutes: each request and each happening of a run is in its minute.
func TestMinutes(t *testing.T) {
	r := &result.Result{Duration: 130, Events: []result.Event{
		{T: -1, Event: "fault.injected"},
		{T: 61, Event: "operator.seen", Fault: "f"},
		{T: 62, Event: "ledger.read"},
		{T: 131, Event: "unit.exit"},
	}, Faults: []result.FaultRecord{{Name: "f", OnsetAt: 59, RecoveredAt: 125, Impact: result.Impacted}}}
	for i := range 130 {
		r.Windows = append(r.Windows, result.Window{
			T: result.Num(i), D: 1, Load: "*", Step: "*", Offered: 10, Error: int64(i % 2), P95: result.Num(i),
		}, result.Window{T: result.Num(i), D: 1, Load: "a", Step: "*", Offered: 10})
	}
	got := r.Minutes()
	if len(got) != 3 || got[0].Requests != 600 || got[1].Bad != 30 || got[2].Requests != 100 || got[2].To != 130 ||
		got[0].P95 != 59 {
		t.Fatalf("%+v", got)
	}
	for i, want := range []string{result.FirstHarm, "operator.seen", result.GoodAgain} {
		if h := got[i].Happenings; len(h) != 1 || h[0].Event != want {
			t.Errorf("minute %d: %+v, want %s", i, h, want)
		}
	}
	if r.Duration = 50; r.Minutes() != nil {
		t.Error("a short run without people is told")
	}
}
