package delivery

import (
	"math/rand/v2"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/scenarios"
)

// TestBlame_Sweep: a target that loses one message in twenty by itself, and 27 faults, each for 2 s of 10 s. None of
// them is blamed unless it loses messages, in 19 of 20 runs or more; one that loses half of them is.
func TestBlame_Sweep(t *testing.T) {
	const runs, faults, rate = 200, 27, 20
	for _, c := range []struct {
		name   string
		loss   float64 // in the first fault
		blamed func(any, first int) bool
	}{
		{"harmless faults", .05, func(any, _ int) bool { return any <= runs/20 }},
		{"the first loses half", .5, func(any, first int) bool { return first >= runs*19/20 && any-first <= runs/20 }},
	} {
		any, first := 0, 0
		for seed := range uint64(runs) {
			r := rand.New(rand.NewPCG(seed, 1))
			tr := newTracker(drawnSpec(time.Second), func(*scenarios.Outcome) {})
			tr.blind = neverBlind
			run := &Run{End: faults * 10 * time.Second}
			for i := range faults {
				at := time.Duration(10*i+5) * time.Second
				run.Faults = append(run.Faults, &chaos.Record{N: i, Name: "f", Injected: at, Cleared: at + 2*time.Second})
			}
			n := uint64(0)
			for at := time.Duration(0); at < run.End; at += time.Second / rate {
				loss := .05
				if at >= 5*time.Second && at < 7*time.Second {
					loss = c.loss
				}
				if tr.sent[second(at)]++; r.Float64() < loss {
					tr.flaws[n] = &flaw{begun: at, acked: at, isAcked: true}
				}
				n++
			}
			for _, f := range newBlame(tr, run, true).suspect {
				if any++; f.N == 0 {
					first++
				}
			}
		}
		if !c.blamed(any, first) {
			t.Errorf("%s: in %d runs %d faults are blamed, of these %d times the first", c.name, runs, any, first)
		}
	}
}
