package workers

import (
	"brunt/scenarios/load"
	"brunt/scenarios/plan"
)

// Split limits the loads of a plan to the share of one worker: of connections and of iterations in flight.
// [load.Settings].Part selects its part of the schedule.
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
