package words

import (
	"cmp"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// IsInfinite tells that a percentile is infinite: requests came to an end, and more of
// them failed than it allows. What is unknown is so for want of requests.
func IsInfinite(n result.Num, population int64) bool { return !n.Known() && population > 0 }

// PhaseRow is what was measured in a phase, over one load and step.
type PhaseRow struct {
	All, Ok result.Cell
	Bad     int64 // ErrorRates and skipped
	shed    int64
}

// Population is how many requests percentiles are over.
func (p *PhaseRow) Population() int64 { return p.All.Count - p.shed }

// PhaseRows joins the cells of one phase, load and step, in the order they come in.
func PhaseRows(r *result.Result, keep func(*result.Cell) bool) []PhaseRow {
	type key struct{ phase, load, step string }
	at := map[key]int{}
	var out []PhaseRow
	for i := range r.Cells {
		c := &r.Cells[i]
		if !keep(c) {
			continue
		}
		k := key{c.Phase, c.Load, c.Step}
		j, found := at[k]
		if !found {
			j = len(out)
			at[k] = j
			out = append(out, PhaseRow{})
			out[j].All = result.Cell{Phase: c.Phase, Load: c.Load, Step: c.Step, Response: result.NoTimes, Service: result.NoTimes}
			out[j].Ok.Response = result.NoTimes
		}
		switch c.Outcome {
		case "*":
			out[j].All = *c
		case scenarios.OK.String():
			out[j].Ok = *c
		case scenarios.Shed.String():
			out[j].shed = c.Count
		default:
			out[j].Bad += c.Count
		}
	}
	return out
}

// PhaseTotals are the rows over all loads and steps, a phase each; phases without a
// request are left out.
func PhaseTotals(r *result.Result) []PhaseRow {
	return PhaseRows(r, func(c *result.Cell) bool { return c.Load == "*" && c.Step == "*" && c.Count > 0 })
}

// PhaseRowOf is the row of a phase over all loads and steps, or nil.
func PhaseRowOf(list []PhaseRow, phase string) *PhaseRow {
	i := slices.IndexFunc(list, func(p PhaseRow) bool { return p.All.Phase == phase })
	if i < 0 {
		return nil
	}
	return &list[i]
}

// ErrorKinds are the errors of the run by kind, most first, steps put together.
func ErrorKinds(r *result.Result) []result.ErrorGroup {
	at := map[string]int{}
	var out []result.ErrorGroup
	for _, e := range r.Errors {
		i, found := at[e.Kind]
		if !found {
			at[e.Kind] = len(out)
			out = append(out, e)
			continue
		}
		g := &out[i]
		g.Count += e.Count
		g.First, g.Last = min(g.First, e.First), max(g.Last, e.Last)
		if g.Sample == nil {
			g.Sample = e.Sample
		}
		if g.Step != e.Step {
			g.Step = ""
		}
	}
	slices.SortStableFunc(out, func(a, b result.ErrorGroup) int { return -cmp.Compare(a.Count, b.Count) })
	return out
}

// SampleText is a failed request in a few words.
func SampleText(s *result.Sample) string {
	if s == nil {
		return ""
	}
	text := Clean(s.Request)
	if said := Clean(s.Said()); said != "" {
		if text != "" {
			text += ": "
		}
		text += said
	}
	return text
}
