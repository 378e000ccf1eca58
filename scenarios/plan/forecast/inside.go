package forecast

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/timeline"
	"brunt/scenarios/load"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// insideFault looks for objectives on recovery whose limit ends before their faults do. Recovery counts from the
// injection, so the target has to be good again while the fault is still active, as after a failover, or it must
// never be bad: a note says so. If no request gets an answer during the fault, neither is possible, and the objective
// is a mistake. The recovery from a group counts from its incident, which may begin late.
func (c *check) insideFault(est []timeline.Estimated) {
	for _, o := range c.plan.Scenario.SLO {
		if o.Metric.Row().Name != "recover" || !o.Upper() || !o.OfWorst() {
			continue
		}
		for _, e := range est {
			limit := result.Num(o.Value).D()
			if e.Entry.Name != o.After.Fault || e.Entry.OneShot() || e.Entry.Kind == result.GroupKind ||
				e.Clear-e.At < limit {
				continue
			}
			c.endsInside(o, e, limit)
			break
		}
	}
}

// endsInside reports an objective on recovery whose limit ends before its fault, or at the same time.
func (c *check) endsInside(o slo.Objective, e timeline.Estimated, limit time.Duration) {
	stays, heal := quantity.Brief(e.Clear-e.At), strings.Replace(o.Text, "recover", "heal", 1)
	if c.cutsAll(e.Entry) {
		c.plan.Mistakes.Add(o.Pos,
			"`%s` can't hold: it counts from the injection, and no request of the load is answered for the %s that %s stays; "+
				"ask for more than %s, or count from its end: `%s`", o.Text, stays, e.Name, stays, heal)
		return
	}
	if e.Clear-e.At == limit {
		return
	}
	c.notes = append(c.notes,
		fmt.Sprintf("`%s` counts from the injection, and %s stays for %s: it passes only if the target is never bad, or "+
			"good again "+
			"while the fault is still in, as after a failover. From its end counts `%s`.", o.Text, e.Name, stays, heal))
}

// cutsAll reports whether every request of every load goes over a link that the fault cuts. That is the link from the
// load to a target that brunt did not start, because such a target has only this link.
func (c *check) cutsAll(e *timeline.Entry) bool {
	t := e.Traits(chaos.Scope{})
	if !t.Cuts || t.Touches == nil || c.plan.Scenario.Target.URL.IsZero() {
		return false
	}
	if hit, _ := t.Touches("load", "target", nil); !hit {
		return false
	}
	return !slices.ContainsFunc(c.plan.Loads, func(l Load) bool {
		return l.Scripted || slices.ContainsFunc(l.Flows, func(f load.Flow) bool {
			return slices.ContainsFunc(f.Steps, func(s load.Step) bool {
				addr, known := c.address(s)
				return s.Call != nil && (!known || addr != c.plan.Entry)
			})
		})
	})
}
