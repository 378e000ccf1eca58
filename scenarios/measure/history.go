package measure

import (
	"math"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/slo"
)

// An Occurrence is one injection of a fault. Times are offsets from t0.
type Occurrence struct {
	Name     string // with #n if the fault occurs several times; empty if the injection failed
	Fault    string
	Injected time.Duration
	Cleared  time.Duration // valid if Over
	Over     bool
}

// Phase returns the phase of the occurrence, or the zero phase if the injection failed.
func (o *Occurrence) Phase() slo.Phase {
	if o.Name == "" {
		return slo.Phase{}
	}
	return slo.ParseOccurrence(o.Name)
}

// Never is later than any run.
const Never = time.Duration(math.MaxInt64)

// Until returns the end of the fault's phase; [Never] while it is active.
func (o *Occurrence) Until() time.Duration {
	if !o.Over {
		return Never
	}
	return o.Cleared
}

// History records when faults were injected and cleared.
type History struct {
	Faults []Occurrence
	Sets   [][]int32 // sets of faults by number; set 0 is empty
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

// Numbers of phases in running totals. A number from 0 on is the phase of that occurrence. Recoveries have no number,
// because a recovery is known only afterwards.
const (
	PhaseWarmup   int32 = -3
	PhaseRun      int32 = -2
	PhaseBaseline int32 = -1
)

// PhasesOf calls do with each phase that a cell belongs to. The caller holds mu, or h is a copy.
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

// isOver reports whether all faults of a set were cleared before a time. It is false for the empty set.
func (h *History) isOver(set int32, before time.Duration) bool {
	return set != 0 && !slices.ContainsFunc(h.Sets[set], func(n int32) bool { return h.Faults[n].Until() >= before })
}

// A timeline is the history of a run in progress. It tells which faults a request met.
type timeline struct {
	History
	numbers map[string]int32 // numbers of the sets of faults
	calm    time.Duration    // requests intended after this met exactly the active faults
	now     int32            // number of the set of active faults
}

func newTimeline() timeline {
	return timeline{History: History{Sets: [][]int32{nil}}, numbers: map[string]int32{"": 0}, calm: -Never}
}

// changed prepares setOf after a change of faults.
func (l *timeline) changed() {
	var in []int32
	for i := range l.Faults {
		f := &l.Faults[i]
		if f.Name == "" {
			continue
		}
		l.calm = max(l.calm, f.Injected)
		if f.Over {
			l.calm = max(l.calm, f.Until())
		} else {
			in = append(in, int32(i))
		}
	}
	l.now = l.number(in)
}

// setOf returns the number of the set of faults that overlapped the request's life, [intended, end].
func (l *timeline) setOf(o *scenarios.Outcome) int32 {
	if o.Intended > l.calm {
		return l.now
	}
	var buf [16]int32
	set := buf[:0]
	for i := range l.Faults {
		f := &l.Faults[i]
		if f.Name != "" && f.Injected <= o.End && f.Until() >= o.Intended {
			set = append(set, int32(i))
		}
	}
	return l.number(set)
}

// number returns the number of a set, and assigns one to a new set.
func (l *timeline) number(set []int32) int32 {
	if len(set) == 0 {
		return 0
	}
	var buf [64]byte
	name := buf[:0]
	for _, f := range set {
		name = append(name, byte(f), byte(f>>8))
	}
	n, ok := l.numbers[string(name)]
	if !ok {
		n = int32(len(l.Sets))
		l.Sets = append(l.Sets, slices.Clone(set))
		l.numbers[string(name)] = n
	}
	return n
}
