package requests

import (
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// UnsteadyBefore describes how the steady state failed before a fault. limit is the share of bad requests that counts
// as impact.
func UnsteadyBefore(c *measure.Config, limit float64, fault string, o slo.Objective, a effect.Answer) result.Notes {
	if a.StuckBefore {
		return result.Notes{{Kind: result.BeforeStuck, Of: fault}}
	}
	least, most := c.SlowRange()
	if o.Metric.Span > 0 {
		least, most = o.Metric.Span, o.Metric.Span
	}
	before := result.Note{Kind: result.BeforeFailed, Of: fault, Limit: result.Num(limit), For: result.Sec(most)}
	if least < most {
		before.Kind, before.For = result.BeforeFailedStep, 0
	}
	return result.Notes{before}
}
