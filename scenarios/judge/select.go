package judge

import (
	"slices"
	"time"

	"brunt/scenarios/measure"
	"brunt/scenarios/slo"
)

// sumOf adds up the series that an objective selects.
func sumOf(c *measure.Series, o slo.Objective, counts []measure.Counts, span time.Duration) *sum {
	out := &sum{Span: span}
	for i := range counts {
		if paced(c, o, i) {
			out.Iterations += counts[i].Offered()
		}
		if selects(c, o, i) {
			out.Merge(&counts[i])
		}
	}
	return out
}

// paced reports whether the rate of an objective counts series i: the iterations of the loads that
// it selects, or the requests of the step that it names.
func paced(c *measure.Series, o slo.Objective, i int) bool {
	if o.Step == "" {
		o.Step = "iteration"
	}
	return selects(c, o, i)
}

// selects reports whether an objective selects series i.
func selects(c *measure.Series, o slo.Objective, i int) bool {
	iteration := i >= len(c.Steps)
	load := 0
	step := "iteration"
	if iteration {
		load = i - len(c.Steps)
	} else {
		load, step = c.Steps[i].Load, c.Steps[i].Name
	}
	if o.Load != "" && c.Loads[load].Name != o.Load {
		return false
	}
	if o.Step != "" {
		return step == o.Step
	}
	return c.InSums(i)
}

// about reports whether an objective selects load l.
func about(c *measure.Series, o slo.Objective, l int) bool {
	return (o.Load == "" || c.Loads[l].Name == o.Load) && (o.Step == "" || o.Step == "iteration" || slices.ContainsFunc(c.Steps, func(s measure.SeriesStep) bool { return s.Name == o.Step && s.Load == l }))
}
