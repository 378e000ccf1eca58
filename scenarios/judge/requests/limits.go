package requests

import (
	"slices"

	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// limitOf returns the limit that has to be counted for an objective, if any.
func limitOf(o slo.Objective) (measure.Limit, bool) {
	switch {
	case o.Metric.Percentile() && o.Relative(): // its target is known only when the load is over
	case o.Metric.Percentile():
		at := result.Num(o.Value).D()
		return measure.Limit{At: at, Inclusive: o.Op == "<=" || o.Op == ">", Service: o.Metric.Of == "service"}, true
	case o.Metric.Span > 0 && (o.Metric.Row().Count != nil || o.Metric.OfFault()):
		return measure.Limit{At: o.Metric.Span, Inclusive: true, Edges: o.Metric.OfFault()}, true
	}
	return measure.Limit{}, false
}

// LimitsOf collects the limits that have to be counted for objectives, each once.
func LimitsOf(lists ...[]slo.Objective) []measure.Limit {
	var out []measure.Limit
	for _, list := range lists {
		for _, o := range list {
			l, ok := limitOf(o)
			switch i := indexOf(out, l); {
			case ok && i < 0:
				out = append(out, l)
			case ok:
				out[i].Edges = out[i].Edges || l.Edges
			}
		}
	}
	return out
}

// LimitIndex returns the index of an objective's limit in limits; -1 if it has none.
func LimitIndex(limits []measure.Limit, o slo.Objective) int {
	l, ok := limitOf(o)
	if !ok {
		return -1
	}
	return indexOf(limits, l)
}

// indexOf returns the index of a limit in limits, whether or not edges are kept by it.
func indexOf(limits []measure.Limit, l measure.Limit) int {
	return slices.IndexFunc(limits, func(other measure.Limit) bool {
		other.Edges = l.Edges
		return other == l
	})
}
