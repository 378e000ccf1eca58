package judge

import (
	"slices"
	"time"

	"brunt/scenarios/judge/effect"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/slo"
)

// phase is a span of the run over which cells are summed.
type phase struct {
	name slo.Phase
	requests.Span
	of  int // number of its occurrence; ofNone for none
	by  membership
	has func(k measure.Key, set []int32) bool
}

// number is the number of the phase in a recording; a fault's recovery and rest have none.
func (p phase) number() int32 {
	switch p.name.Kind {
	case slo.WarmupPhase:
		return measure.PhaseWarmup
	case slo.RunPhase:
		return measure.PhaseRun
	case slo.BaselinePhase:
		return measure.PhaseBaseline
	}
	return int32(p.of)
}

// membership is what a cell is in a phase by.
type membership uint8

const (
	byRun   membership = iota // has alone says
	byFault                   // its requests met the occurrence
	bySpan                    // its window begins in the span
)

// indexed returns the index of phases.
func indexed(ps []phase) *phaseIndex {
	x := &phaseIndex{}
	for i, p := range ps {
		switch p.by {
		case byRun:
			x.Run = append(x.Run, i)
		case byFault:
			x.OfFault(i, int32(p.of))
		case bySpan:
			x.InSpan(i, p.Span)
		}
	}
	return x
}

// ofNone marks a phase that belongs to no fault.
const ofNone = -1

// phases lists the phases of a run: warm-up, run, baseline, and for each occurrence of a fault the
// phase itself, its recovery, and its rest where an objective is about that.
//
// The recovery begins when the fault is cleared, and ends a hold after the last bad request, or after
// the clearing if the target was good by then: so it is not empty for the better target. Its end is that
// of a window. Without recovery it has no such end. The next injection and the end of the load end it in
// any case, because what comes then belongs to others. The rest lasts up to those.
func (f *composer) phases(warmup time.Duration, end time.Duration, answers []effect.Answer) []phase {
	out := []phase{}
	if warmup > 0 {
		out = append(out, phase{
			slo.Phase{Kind: slo.WarmupPhase},
			requests.Span{From: -warmup, To: 0},
			ofNone, byRun,
			func(k measure.Key, _ []int32) bool { return k.Start < 0 },
		})
	}
	out = append(out, phase{
		slo.Phase{Kind: slo.RunPhase},
		requests.Span{To: end},
		ofNone, byRun,
		func(k measure.Key, _ []int32) bool { return k.Start >= 0 },
	})
	before := requests.Span{To: min(end, f.FirstInjection())}
	out = append(out, phase{
		slo.Phase{Kind: slo.BaselinePhase},
		before,
		ofNone, byRun,
		func(k measure.Key, _ []int32) bool { return f.InBaseline(k) },
	})
	for i := range f.Faults {
		oc := &f.Faults[i]
		if oc.Name == "" {
			continue
		}
		cleared := oc.Until()
		if !oc.Over {
			cleared = end
		}
		in := requests.Span{From: oc.Injected, To: max(oc.Injected, min(end, cleared))}
		out = append(out, phase{oc.Phase(), in, i, byFault, func(k measure.Key, set []int32) bool {
			return k.Start >= 0 && slices.Contains(set, int32(i))
		}})
		over := end
		if next := f.after(i); next != nil {
			over = min(over, next.Injected)
		}
		over = max(over, cleared)
		until := over
		if a := &answers[i]; a.RecoveredAt.Known() {
			until = min(over, f.EndOf(max(cleared, a.RecoveredAt.D())+f.c.Hold-1))
		}
		out = append(out, afterFault(oc.Phase().Of(slo.RecoveryPhase), i, requests.Span{From: cleared, To: until}))
		rest := oc.Phase().Of(slo.RestPhase)
		if slices.ContainsFunc(f.c.SLO, func(o slo.Objective) bool { return inPhase(o, rest) }) {
			out = append(out, afterFault(rest, i, requests.Span{From: cleared, To: over}))
		}
	}
	return out
}

// afterFault is the phase of the requests intended in a span after occurrence i.
func afterFault(name slo.Phase, i int, s requests.Span) phase {
	return phase{
		name, s, i, bySpan, func(k measure.Key, _ []int32) bool { return k.Start >= s.From && k.Start < s.To },
	}
}

// phaseOf returns the number of the phase with a name; negative: no phase has it.
func phaseOf(ps []phase, name slo.Phase) int {
	return slices.IndexFunc(ps, func(p phase) bool { return p.name == name })
}
