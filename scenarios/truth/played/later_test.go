package played

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/scenarios/truth"
)

// TestLater_OtherHarm plays an outage of a fault, or a harmless fault, and after its end other harm, more than a hold
// after the last bad request. The other harm is an incident of its own, and changes no objective of the fault.
func TestLater_OtherHarm(t *testing.T) {
	counts := map[scenarios.Verdict]int{}
	for seed := range uint64(suite.Trials(300)) {
		r := rand.New(rand.NewPCG(seed, 12))
		lasted := pick(r, 0, 1500*ms, 3*sec, 6*sec) + time.Duration(r.IntN(900))*ms
		if lasted < sec {
			lasted = 0
		}
		hold := pick(r, 3, 5, 10)
		fault := span{12 * sec, 12*sec + pick(r, lasted, lasted+sec, 8*sec)}
		if lasted == 0 {
			fault.to = 20 * sec
		}
		good := fault.from + lasted
		if lasted == 0 { // the first harm within a hold of the end may be that of the fault
			good = fault.to
		}
		at := max(good+time.Duration(hold)*sec+time.Duration(1000+r.IntN(6000))*ms, fault.to+2*sec)
		other := span{at, at + sec + time.Duration(r.IntN(6000))*ms}
		in := func(n int, s span) bool { return n >= int(s.from/(10*ms)) && n < int(s.to/(10*ms)) }
		p := playedCase{
			seconds: int(other.to/sec) + 25, hold: time.Duration(hold) * sec, faults: []span{fault}, timeout: 10 * sec,
			script: func(n int) truth.Act {
				if in(n, span{fault.from, fault.from + lasted}) || in(n, other) {
					return f503
				}
				return truth.Act{Delay: 2 * ms}
			},
		}
		tm := timed{playedCase: p}
		limit := lasted + max(lasted/2, sec/2)
		for _, form := range []string{"recover", "degraded", "area"} {
			tm.want = append(tm.want, timedTruth{fmt.Sprintf("%s < %v after f", form, limit), true})
		}
		tm.want = append(tm.want, timedTruth{fmt.Sprintf("recover < %v after incident", limit), true})
		tm.rate = 100
		for i, v := range tm.judged(t) {
			if v != scenarios.Pass {
				t.Errorf("seed %d: down for %v, fault from %v to %v, hold %ds, other harm from %v to %v: %s is %s", seed, lasted,
					fault.from, fault.to, hold, other.from, other.to, tm.want[i].text, v)
			}
			counts[v]++
		}
	}
	t.Log(counts)
}
