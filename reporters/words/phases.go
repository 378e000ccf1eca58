package words

import (
	"cmp"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// IsInfinite reports whether a percentile is infinite: requests ended, and more of them failed
// than it allows. Without requests it is unknown instead.
func IsInfinite(n result.Num, population int64) bool { return !n.Known() && population > 0 }

// PhaseRow holds the measurements of a phase, over one load and step.
type PhaseRow struct {
	All, Ok result.Cell
	Bad     int64 // errors and skipped
	shed    int64
}

// Population returns the number of requests that percentiles cover.
func (p *PhaseRow) Population() int64 { return p.All.Count - p.shed }

// Shed is the number of requests that the target refused on purpose.
func (p *PhaseRow) Shed() int64 { return p.shed }

// PhaseRows joins the cells of one phase, load and step, in their order.
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

// PhaseTotals returns the rows over all loads and steps, one per phase; it omits phases
// without a request.
func PhaseTotals(r *result.Result) []PhaseRow {
	return PhaseRows(r, func(c *result.Cell) bool { return c.Load == "*" && c.Step == "*" && c.Count > 0 })
}

// PhaseRowOf returns the row of a phase over all loads and steps, or nil.
func PhaseRowOf(list []PhaseRow, phase string) *PhaseRow {
	i := slices.IndexFunc(list, func(p PhaseRow) bool { return p.All.Phase == phase })
	if i < 0 {
		return nil
	}
	return &list[i]
}

// ErrorKinds returns the errors of the run by kind over all steps, the most frequent first.
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

// SampleText describes a failed request in a few words.
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
