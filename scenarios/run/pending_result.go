package run

import (
	"brunt/scenarios"
	"brunt/scenarios/machine"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
)

// PendingResult returns the result of a run before it begins: its identity and its objectives.
func PendingResult(p *plan.Plan, o Options) *result.Result {
	sc := p.Scenario
	res := &result.Result{
		Version: result.ResultVersion, Definitions: result.Definitions,
		Run: o.ID, Name: sc.Name, Hypothesis: sc.Hypothesis, Meta: sc.Meta, Seed: sc.Seed,
		Verdict:     scenarios.Running,
		Environment: result.Environment{Brunt: machine.Version()},
	}
	for _, o := range p.Objectives(o.NoChaos) {
		res.Objectives = append(res.Objectives, result.NewObjective(o, scenarios.Pending))
	}
	return res
}
