package requests

import (
	"fmt"

	"brunt/scenarios/judge/effect"
	"brunt/scenarios/measure"
	"brunt/scenarios/quantity"
	"brunt/scenarios/slo"
)

// UnsteadyBefore describes how the steady state was violated before a fault. Limit is the share of bad requests that
// counts.
func UnsteadyBefore(c *measure.Config, limit float64, fault string, o slo.Objective, a effect.Answer) string {
	if a.StuckBefore {
		return "requests were in flight and none ended before " + fault
	}
	what := "errors were"
	least, most := c.SlowRange()
	if o.Metric.Span > 0 {
		least, most = o.Metric.Span, o.Metric.Span
	}
	switch {
	case least < most:
		what = "errors and answers over the limit of their step were"
	case most > 0:
		what = "errors and answers over " + quantity.FormatSeconds(most.Seconds()) + " were"
	}
	return fmt.Sprintf("%s already over %s before %s", what, quantity.FormatShare(limit), fault)
}
