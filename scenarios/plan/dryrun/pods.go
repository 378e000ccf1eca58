package dryrun

import (
	"brunt/chaos/timeline"
	"brunt/scenarios/plan"
)

// onPods fills in the parts of a fault's forecast that are known before the run makes the pods that it hits.
func (f *Forecast) onPods(p *plan.Plan, e *timeline.Entry) {
	for _, part := range e.Parts() {
		s := ForecastStep{
			What: part.Kind + " on pods that the run makes, which it chooses then" + followed(p, part), Via: "api",
		}
		if plan.ByPodAgent(&p.Scope, part.Block) {
			s.Via = "an agent on the node"
		}
		for _, key := range []string{"unit", "service", "from", "of"} {
			if n := part.Block.With.Get(key); n != nil && n.Value != "" {
				s.Units = append(s.Units, n.Value)
				break
			}
		}
		f.Steps = append(f.Steps, s)
	}
}
