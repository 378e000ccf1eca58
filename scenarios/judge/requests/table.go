package requests

import (
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// Times returns percentiles as objectives judge them.
func (s *Sum) Times(m slo.Metric) result.Times {
	at := func(q float64) result.Num { return result.Num(s.Quantile(m, q)) }
	measure := func(name string) result.Num {
		m.Name = name
		return result.Num(s.Measure(slo.Objective{Metric: m}, -1))
	}
	return result.Times{
		P50: at(.5), P90: at(.9), P95: at(.95), P99: at(.99), P999: at(.999), Max: measure("max"), Mean: measure("mean"),
	}
}

// Starved returns the share of the steps' requests that brunt or this machine failed to send.
func Starved(c *measure.Config, sums []measure.Cell) float64 {
	var offered, own int64
	for s := range c.Steps {
		if !c.InSums(s) {
			continue
		}
		offered += sums[s].Offered()
		for _, n := range sums[s].Causes {
			if n.Cause.Own() {
				own += n.N
			}
		}
	}
	if own == 0 {
		return 0
	}
	return float64(own) / float64(offered)
}
