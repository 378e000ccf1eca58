package ab

import (
	"fmt"
	"time"

	"brunt/scenarios/load"
	"brunt/scenarios/plan"
)

// unfit says why the loads of two sides can't be switched. It is empty if they can. Control means that no fault is
// injected.
func unfit(a, b *plan.Plan, control bool) string {
	if len(a.Faults)+len(b.Faults) > 0 && !control {
		return "the scenario injects faults, whose phases hold too few blocks; --no-chaos leaves them out"
	}
	for _, p := range []*plan.Plan{a, b} {
		for i := range p.Loads {
			if why := unfitLoad(&p.Loads[i]); why != "" {
				return fmt.Sprintf("load %q %s", p.Loads[i].Name, why)
			}
		}
	}
	return collide(a, b)
}

func unfitLoad(l *plan.Load) string {
	switch {
	case l.Script != nil:
		return "is a script, which makes its own schedule"
	case l.Schedule.Log != nil:
		return "replays a log, whose requests differ from block to block"
	case l.Schedule.PerVU > 0 || l.Schedule.Shared > 0:
		return "has a number of iterations, and so no length"
	}
	return ""
}

// collide names what both sides would occupy on this machine, such as a port. It is empty if they don't collide.
func collide(a, b *plan.Plan) string {
	if a.Stack == nil || b.Stack == nil {
		return ""
	}
	taken := map[int]string{}
	for i := range a.Stack.Services {
		s := &a.Stack.Services[i]
		for n := range max(1, s.Replicas) {
			if s.Port > 0 {
				taken[s.Port+n] = s.Name
			}
		}
	}
	for i := range b.Stack.Services {
		s := &b.Stack.Services[i]
		for n := range max(1, s.Replicas) {
			if of, both := taken[s.Port+n]; both && s.Port > 0 {
				return fmt.Sprintf("both sides can't be up together: %s of a and %s of b listen on port %d; leave `port` out, "+
					"or give it by a param",
					of, s.Name, s.Port+n)
			}
		}
	}
	return ""
}

// Restrict makes the loads of a side's plan start iterations only in the blocks of that side. OfB selects side b. It
// returns the spans that are judged, which are the blocks without the carry-over.
func (b switchBlocks) Restrict(p *plan.Plan, ofB bool) (judged []load.Span) {
	blocks := b.A
	if ofB {
		blocks = b.B
	}
	for i := range p.Loads {
		p.Loads[i].Schedule = p.Loads[i].Schedule.Only(blocks)
	}
	for _, s := range blocks {
		judged = append(judged, load.Span{From: s.From + carryOver, To: s.To})
	}
	return judged
}

// pairTakes returns the length of a round of both plans without the warm-up: the length of the shorter load.
func pairTakes(a, b *plan.Plan) time.Duration { return min(a.End(), b.End()) }
