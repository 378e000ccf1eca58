// brunt probes a system that it did not start between two drills: does it answer as it did before them? A drill over
// a system that is still broken would show the effect of the drill before it.
//
//	plan --SteadyPlan--> probe: some seconds of its load, without faults --run--> SteadyState: failures, times by step
//	                                                                                  |
//	before the first drill: the state that all later ones are compared with           |
//	after each drill: WaitSteady probes until the state is like that, or time is up <-'
//
//	probe.go  the plan of a probe
//	state.go  the answers that a probe found, and whether two states are alike
//	wait.go   probes until the system answers as before

package drills

import (
	"fmt"
	"slices"
	"time"

	"brunt/scenarios/load"
	"brunt/scenarios/plan"
)

// SteadyLasts is how long a probe of a system takes.
const SteadyLasts = 3 * time.Second

const (
	leastRate = 2  // iterations a second of a load
	usersRate = 20 // the most iterations a second of a load of users
)

// HasSteadyState reports whether a system keeps running between two runs because brunt did not start it.
func HasSteadyState(p *plan.Plan) bool { return p.Stack == nil }

// SteadyPlan returns the plan of a probe: the loads of the plan at their mean rate for a short time, without faults
// and objectives. A load of users runs one iteration per second and user, 20 at most. Scripts and logs can't be
// probed with.
func SteadyPlan(p *plan.Plan, lasts time.Duration) (*plan.Plan, error) {
	one := p.WithoutRecords()
	sc := one.Scenario
	one.Loads = slices.Clone(p.Loads)
	for i := range one.Loads {
		lp := &one.Loads[i]
		switch {
		case lp.Script != nil:
			return nil, fmt.Errorf("load %q is a script, and brunt can't run only a short part of it", lp.Name)
		case lp.Schedule.Log != nil:
			return nil, fmt.Errorf("load %q replays a log, and brunt can't run only a short part of it", lp.Name)
		}
		rate := float64(leastRate)
		if span := (lp.Schedule.End() - lp.Schedule.Start()).Seconds(); lp.Schedule.Closed() {
			rate = float64(min(usersRate, lp.Schedule.MostUsers()))
		} else if span > 0 {
			rate = lp.Schedule.Rate.Total() / span
		}
		profile := load.NewProfile(0)
		profile.Add(lasts, max(leastRate, rate), max(leastRate, rate))
		lp.Schedule, lp.InTurn = load.Plan{Rate: profile}, true
	}
	one.Faults, one.Gauges, one.Watches = nil, nil, nil
	sc.SLO, sc.Steady, sc.Stop, sc.Warmup = nil, nil, nil, 0
	return one, nil
}
