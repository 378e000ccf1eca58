package dryrun

import (
	"slices"

	"brunt/chaos/timeline"
	"brunt/scenarios/plan"
)

// laterOnPods says why the pods that a fault hits are known only during the run: the run makes them, or asks them for
// their role. It is empty if they are known before.
func laterOnPods(p *plan.Plan, e *timeline.Entry) string {
	asks := func(part *timeline.Entry) bool { return part.Damage != nil && part.Traits(p.Scope).Asks != nil }
	switch {
	case p.Stack.OnPods():
		return "pods that the run makes, which it chooses then"
	case p.Scope.Cluster != nil && slices.ContainsFunc(e.Parts(), asks):
		return "pods that the run chooses by their role, which it asks them for then"
	}
	return ""
}

// onPods fills in the parts of a fault's forecast that are known before the run chooses the pods.
func (f *Forecast) onPods(p *plan.Plan, e *timeline.Entry, later string) {
	for _, part := range e.Parts() {
		s := ForecastStep{What: part.Kind + " on " + later + followed(p, part), Via: "api"}
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
