package measure

import (
	"math"
	"time"
)

// An Occurrence is one injection of a fault. Times are offsets from t0.
type Occurrence struct {
	Name     string // with #n where a fault comes several times; empty when it came to nothing
	Fault    string
	Injected time.Duration
	Cleared  time.Duration // valid when Over
	Over     bool
}

// never is later than any run.
const never = time.Duration(math.MaxInt64)

// until is the end of the fault's phase.
func (o *Occurrence) until() time.Duration {
	if !o.Over {
		return never
	}
	return o.Cleared
}

// history is which faults came and went.
type history struct {
	faults []Occurrence
	sets   [][]int32 // sets of faults by number; 0 is none
}

func (h *history) firstInjection() time.Duration {
	for i := range h.faults {
		if h.faults[i].Name != "" {
			return h.faults[i].Injected
		}
	}
	return never
}

// inBaseline tells whether a cell counts requests that ended before the first
// injection.
func (h *history) inBaseline(k key) bool {
	return k.start >= 0 && k.start < h.firstInjection() && len(h.sets[k.set]) == 0
}

// Phases as soFar and standing number them; from 0 on it is the occurrence of a fault.
// Recoveries are none of them: which requests are in one is known only afterwards.
const (
	ofWarmup   int32 = -3
	ofRun      int32 = -2
	ofBaseline int32 = -1
)

// phasesOf calls do with the phases that a cell belongs to. Mu is held, or the
// recorder is a copy.
func (h *history) phasesOf(k key, do func(phase int32)) {
	if k.start < 0 {
		do(ofWarmup)
		return
	}
	do(ofRun)
	if h.inBaseline(k) {
		do(ofBaseline)
	}
	for _, n := range h.sets[k.set] {
		do(n)
	}
}
