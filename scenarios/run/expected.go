package run

import (
	"brunt/scenarios"
	"brunt/scenarios/machine"
	"brunt/scenarios/result"
)

// Expected is what is known of a run before it begins: who it is, and what it will be
// judged by.
func (p *Plan) Expected(o Options) *result.Result {
	sc := p.Scenario
	res := &result.Result{
		Version: result.ResultVersion, Run: o.ID, Name: sc.Name, Hypothesis: sc.Hypothesis, Meta: sc.Meta, Seed: sc.Seed, Verdict: scenarios.Running,
		Environment: result.Environment{Brunt: machine.Version()},
	}
	for _, o := range p.judging(o.NoChaos) {
		res.Objectives = append(res.Objectives, result.ObjectiveResult{
			ID: o.ID, Text: o.Text, Phase: o.PhaseOrRun(), Metric: o.Metric.Text, Op: o.Op, Target: result.Num(o.Value),
			Measured: result.NaN, Low: result.NaN, High: result.NaN, Verdict: scenarios.Pending,
		})
	}
	return res
}

// StepNames gives the names of the steps of each load, by its name. Those of a script are
// known only once it runs.
func (p *Plan) StepNames() map[string][]string {
	names := map[string][]string{}
	for _, s := range p.Series.Steps {
		if s.Name != "" {
			load := p.Series.Loads[s.Load].Name
			names[load] = append(names[load], s.Name)
		}
	}
	return names
}
