package workers

import (
	"brunt/scenarios/load"
	"brunt/scenarios/plan"
)

// Split limits the loads of a plan to those of one worker: its share of connections and of what may be in flight. What
// each load makes of its schedule is [load.Settings].Part.
func Split(p *plan.Plan, part load.Part) {
	for i := range p.Loads {
		lp := &p.Loads[i]
		if !lp.Schedule.Closed() {
			lp.MaxInFlight = int(part.Share(int64(lp.InFlight())))
		}
		if most := lp.Connections.Max; most > 0 {
			lp.Connections.Max = int(part.Share(int64(most)))
		}
	}
}
