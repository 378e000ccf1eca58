package requests

import (
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/measure"
	"brunt/scenarios/slo"
)

// SumOf adds up the series that an objective selects.
func SumOf(c *measure.Series, o slo.Objective, counts []measure.Counts, span time.Duration) *Sum {
	out := &Sum{Span: span}
	for i := range counts {
		if Paced(c, o, i) {
			out.Iterations += counts[i].Offered()
		}
		if Selects(c, o, i) {
			out.Merge(&counts[i])
		}
	}
	return out
}

// Paced reports whether the rate of an objective counts series i: the iterations of the loads that
// it selects, or the requests of the step that it names.
func Paced(c *measure.Series, o slo.Objective, i int) bool {
	if o.Step == "" {
		o.Step = "iteration"
	}
	return Selects(c, o, i)
}

// Selects reports whether an objective selects series i.
func Selects(c *measure.Series, o slo.Objective, i int) bool {
	iteration := i >= len(c.Steps)
	load, step := c.LoadOf(i), "iteration"
	if !iteration {
		step = c.Steps[i].Name
	}
	if o.Load != "" && c.Loads[load].Name != o.Load {
		return false
	}
	if o.Step != "" {
		return step == o.Step
	}
	return c.InSums(i)
}

// Sent returns the number of requests that an objective selects, without those that brunt skipped.
func Sent(c *measure.Series, o slo.Objective, cells []measure.Cell) int64 {
	var n int64
	for s := range cells {
		if Selects(c, o, s) {
			kinds := cells[s].CountsWithTimes().Kinds
			n += kinds[scenarios.OK] + kinds[scenarios.Shed] + kinds[scenarios.Error]
		}
	}
	return n
}

// About reports whether an objective selects load l.
func About(c *measure.Series, o slo.Objective, l int) bool {
	return (o.Load == "" || c.Loads[l].Name == o.Load) &&
		(o.Step == "" || o.Step == "iteration" ||
			slices.ContainsFunc(c.Steps, func(s measure.SeriesStep) bool { return s.Name == o.Step && s.Load == l }))
}
