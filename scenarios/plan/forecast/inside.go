package forecast

import (
	"fmt"
	"strings"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
)

// insideFault notes an objective on recovery that ends before its fault does. Recovery counts from the injection, so the target has to be
// good again with the fault still in, as after a failover, or never bad. That is not impossible, and not refused. The recovery from a
// group counts from its incident, which may begin late.
func (c *check) insideFault(est []chaos.Estimated) {
	for _, o := range c.Scenario.SLO {
		if o.Metric.Row().Name != "recover" || !o.Upper() || o.Metric.Over > 0 {
			continue
		}
		for _, e := range est {
			limit := result.Num(o.Value).D()
			if e.Entry.Name != scenarios.FaultOf(o.After) || e.Entry.OneShot() || e.Entry.Kind == chaos.GroupKind || e.Clear-e.At <= limit {
				continue
			}
			c.notes = append(c.notes, fmt.Sprintf("`%s` counts from the injection, and %s stays for %s: it passes only if the target is never bad, or good again "+
				"while the fault is still in, as after a failover. From its end counts `%s`.",
				o.Text, e.Name, quantity.Brief(e.Clear-e.At), strings.Replace(o.Text, "recover", "heal", 1)))
			break
		}
	}
}
