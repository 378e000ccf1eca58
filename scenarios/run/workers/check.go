package workers

import (
	"fmt"
	"strings"

	"brunt/scenarios/plan"
	"brunt/scenarios/syntax"
)

// Check returns an error that says why a plan can't be split between n workers; nil if it can.
func Check(p *plan.Plan, n int) error {
	var why []string
	add := func(format string, args ...any) { why = append(why, fmt.Sprintf(format, args...)) }
	for i := range p.Loads {
		lp := &p.Loads[i]
		if lp.Script != nil {
			if lp.Script.Plan != nil && lp.Script.Plan.Users < n {
				add("load %q has %s, fewer than %s", lp.Name, syntax.Amount(lp.Script.Plan.Users, "virtual user"),
					syntax.Amount(n, "worker"))
			}
			continue
		}
		few := func(what string, has int) {
			if has > 0 && has < n {
				add("load %q has %s, fewer than %s", lp.Name, what, syntax.Amount(n, "worker"))
			}
		}
		if lp.Schedule.Closed() {
			users := int(lp.Schedule.MostUsers())
			few(syntax.Amount(users, "virtual user"), users)
		}
		few(fmt.Sprintf("max_in_flight: %d", lp.MaxInFlight), lp.MaxInFlight)
		few(fmt.Sprintf("connections.max: %d", lp.Connections.Max), lp.Connections.Max)
	}
	if p.Scenario.Trace.Listen != "" {
		add("`trace: {listen: %s}` takes the requests of one process", p.Scenario.Trace.Listen)
	}
	if len(p.Consistency) > 0 {
		add("`consistency` needs one clock for all reads and writes, and each worker has its own")
	}
	if len(p.Deliveries) > 0 {
		add("`deliveries` are seen by one process, which has to know what was sent")
	}
	if len(why) == 0 {
		return nil
	}
	return fmt.Errorf("the load can't be split between %s: %s", syntax.Amount(n, "worker"), strings.Join(why, "; "))
}
