package forecast

import (
	"fmt"
	"math"

	"brunt/chaos/timeline"
	"brunt/scenarios/judge/series"
	"brunt/scenarios/quantity"
	"brunt/scenarios/slo"
)

// amplification refuses objectives on the calls per request that a run can't decide: in a phase with so few requests,
// the calls without load, as far as they are unknown, make the difference.
func (c *check) amplification(est []timeline.Estimated) {
	for _, o := range c.plan.Scenario.SLO {
		if !o.Metric.OfLink() || o.Relative() {
			continue
		}
		for _, in := range c.phaseSpans(o, est) {
			got, known := c.expected(slo.Objective{}, in.from, in.to)
			if !known || got.n == 0 || in.to <= in.from {
				continue
			}
			open := series.Open(in.to-in.from, series.QuietFor, got.n)
			// the target that a link without more calls than requests would have to meet
			margin := o.Value
			if o.Upper() && o.Value > 1 {
				margin = o.Value - 1
			}
			if open < margin {
				continue
			}
			c.plan.Mistakes.AddHint(o.Pos,
				fmt.Sprintf("offer %.3g times the load there", math.Ceil(15*open/max(margin, .01))/10),
				"`%s` can't be judged: brunt counts calls without load for %s, which leaves open %s calls per request "+
					"at the %s requests that are expected in %s (%s to %s)",
				o.Text, quantity.FormatDuration(series.QuietFor), quantity.Figures(open), trim(got.n),
				o.PhaseOrRun(), quantity.Brief(in.from), quantity.Brief(in.to))
			break
		}
	}
}
