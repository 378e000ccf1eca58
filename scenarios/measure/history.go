package measure

import (
	"math"
	"time"
)

// An Occurrence is one injection of a fault. Times are offsets from t0.
type Occurrence struct {
	Name     string // with #n where a fault occurs several times; empty when the injection failed
	Fault    string
	Injected time.Duration
	Cleared  time.Duration // valid when Over
	Over     bool
}

// Never is later than any run.
const Never = time.Duration(math.MaxInt64)

// Until is the end of the fault's phase.
func (o *Occurrence) Until() time.Duration {
	if !o.Over {
		return Never
	}
	return o.Cleared
}

// History records when faults were injected and cleared.
type History struct {
	Faults []Occurrence
	Sets   [][]int32 // sets of faults by number; 0 is none
}

func (h *History) FirstInjection() time.Duration {
	for i := range h.Faults {
		if h.Faults[i].Name != "" {
			return h.Faults[i].Injected
		}
	}
	return Never
}

// InBaseline reports whether a cell counts requests that ended before the first injection.
func (h *History) InBaseline(k Key) bool {
	return k.Start >= 0 && k.Start < h.FirstInjection() && len(h.Sets[k.Set]) == 0
}

// Numbers of phases in running totals; from 0 on, the phase of that occurrence. Recoveries have no
// number, because a recovery is known only afterwards.
const (
	PhaseWarmup   int32 = -3
	PhaseRun      int32 = -2
	PhaseBaseline int32 = -1
)

// PhasesOf calls do with each phase that a cell belongs to. Mu is held, or the recorder is a copy.
func (h *History) PhasesOf(k Key, do func(phase int32)) {
	if k.Start < 0 {
		do(PhaseWarmup)
		return
	}
	do(PhaseRun)
	if h.InBaseline(k) {
		do(PhaseBaseline)
	}
	for _, n := range h.Sets[k.Set] {
		do(n)
	}
}
