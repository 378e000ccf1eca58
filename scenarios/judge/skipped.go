package judge

import (
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// Skipped is an occurrence of a fault that was skipped because nothing matched.
type Skipped struct{ Fault, Name, Why string }

// judgeSkipped makes an objective on a fault inconclusive if an occurrence was skipped, because its effect is
// unknown. An objective on incidents is about every fault.
func (f *effects) judgeSkipped(o slo.Objective, r *result.ObjectiveResult) {
	of := o.PhaseOrRun().Of(slo.FaultPhase)
	for _, s := range f.read.c.Skipped {
		if of.Kind != slo.IncidentPhase && !of.Includes(slo.ParseOccurrence(s.Name)) {
			continue
		}
		if r.Verdict == scenarios.Pass || r.Verdict == scenarios.Inconclusive {
			r.Verdict, r.Why = scenarios.Inconclusive, ""
			r.Because = result.Notes{{Kind: result.FaultSkipped, Of: s.Name, Text: s.Why}}
		}
		return
	}
}
