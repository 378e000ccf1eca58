package judge

import (
	"slices"

	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/slo"
)

// phase is a span of the run over which cells are summed.
type phase struct {
	name slo.Phase
	requests.Span
	of int // number of its occurrence; ofNone for none
}

// has reports whether the phase contains a cell. The phase of a fault contains the requests that met the fault. Its
// recovery and its rest contain the requests that were due in them.
func (p phase) has(h *measure.History, k measure.Key) bool {
	switch p.name.Kind {
	case slo.WarmupPhase:
		return k.Start < 0
	case slo.RunPhase:
		return k.Start >= 0
	case slo.BaselinePhase:
		return h.InBaseline(k)
	case slo.FaultPhase:
		return k.Start >= 0 && slices.Contains(h.Sets[k.Set], int32(p.of))
	}
	return inSpan(p.Span, k)
}

// cellsOf returns [phase.has] as a filter of slices.
func (f *readings) cellsOf(p phase) func(measure.Key, []int32) bool {
	return func(k measure.Key, _ []int32) bool { return p.has(&f.History, k) }
}

// numbered reports whether the phase has a number. A cell says itself which numbered phases contain it.
func (p phase) numbered() bool {
	return p.name.Kind != slo.RecoveryPhase && p.name.Kind != slo.RestPhase
}

// number returns the number of a numbered phase in a recording.
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

// indexed returns the index of phases.
func indexed(ps []phase) *phaseIndex {
	x := &phaseIndex{}
	for i, p := range ps {
		switch {
		case !p.numbered():
			x.InSpan(i, p.Span)
		case p.of != ofNone:
			x.OfFault(i, int32(p.of))
		default:
			x.Run = append(x.Run, i)
		}
	}
	return x
}

// ofNone marks a phase that belongs to no fault.
const ofNone = -1

// phases lists the phases of a run: warm-up, run, baseline, and for each occurrence of a fault the
// phase itself, its recovery, and its rest if an objective asks about the rest.
//
// The recovery begins when the fault is cleared. It ends a hold after the last bad request, at the end of a window. If
// the target was good when the fault was cleared, it ends a hold after that, so that a better target does not have an
// empty recovery. Without recovery there is no such end. The next injection and the end of the load end the recovery in
// any case, and they end the rest.
func (f *effects) phases() []phase {
	out := []phase{}
	if f.read.c.Warmup > 0 {
		out = append(out, phase{slo.Phase{Kind: slo.WarmupPhase}, requests.Span{From: -f.read.c.Warmup}, ofNone})
	}
	out = append(out,
		phase{slo.Phase{Kind: slo.RunPhase}, requests.Span{To: f.read.end}, ofNone},
		phase{slo.Phase{Kind: slo.BaselinePhase}, requests.Span{To: min(f.read.end, f.read.FirstInjection())}, ofNone})
	for i := range f.read.Faults {
		oc := &f.read.Faults[i]
		if oc.Name == "" {
			continue
		}
		cleared := oc.Until()
		if !oc.Over {
			cleared = f.read.end
		}
		out = append(out, phase{oc.Phase(), requests.Span{
			From: oc.Injected, To: max(oc.Injected, min(f.read.end, cleared)),
		}, i})
		over := f.read.end
		if next := f.read.after(i); next != nil {
			over = min(over, next.Injected)
		}
		over = max(over, cleared)
		until := over
		if a := f.answers[i].Harm(); a.RecoveredAt.Known() {
			until = min(over, f.read.EndOf(max(cleared, a.RecoveredAt.D())+f.read.c.Hold-1))
		}
		out = append(out, phase{oc.Phase().Of(slo.RecoveryPhase), requests.Span{From: cleared, To: until}, i})
		rest := oc.Phase().Of(slo.RestPhase)
		if slices.ContainsFunc(f.read.c.SLO, func(o slo.Objective) bool { return inPhase(o, rest) }) {
			out = append(out, phase{rest, requests.Span{From: cleared, To: over}, i})
		}
	}
	return out
}

// phaseOf returns the number of the phase with a name; negative: no phase has it.
func phaseOf(ps []phase, name slo.Phase) int {
	return slices.IndexFunc(ps, func(p phase) bool { return p.name == name })
}
