package reporters

import (
	"cmp"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// failed tells that a percentile is infinite: requests came to an end, and more of
// them failed than it allows. What is unknown is so for want of requests.
func failed(n result.Num, population int64) bool { return !n.Known() && population > 0 }

// phaseRow is what was measured in a phase, over one load and step.
type phaseRow struct {
	all, ok result.Cell
	bad     int64 // errors and skipped
	shed    int64
}

// population is how many requests percentiles are over.
func (p *phaseRow) population() int64 { return p.all.Count - p.shed }

// rows joins the cells of one phase, load and step, in the order they come in.
func rows(r *result.Result, keep func(*result.Cell) bool) []phaseRow {
	type key struct{ phase, load, step string }
	at := map[key]int{}
	var out []phaseRow
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
			out = append(out, phaseRow{})
			out[j].all = result.Cell{Phase: c.Phase, Load: c.Load, Step: c.Step, Response: result.NoTimes, Service: result.NoTimes}
			out[j].ok.Response = result.NoTimes
		}
		switch c.Outcome {
		case "*":
			out[j].all = *c
		case scenarios.OK.String():
			out[j].ok = *c
		case scenarios.Shed.String():
			out[j].shed = c.Count
		default:
			out[j].bad += c.Count
		}
	}
	return out
}

// totals are the rows over all loads and steps, a phase each; phases without a
// request are left out.
func totals(r *result.Result) []phaseRow {
	return rows(r, func(c *result.Cell) bool { return c.Load == "*" && c.Step == "*" && c.Count > 0 })
}

// rowOf is the row of a phase over all loads and steps, or nil.
func rowOf(list []phaseRow, phase string) *phaseRow {
	i := slices.IndexFunc(list, func(p phaseRow) bool { return p.all.Phase == phase })
	if i < 0 {
		return nil
	}
	return &list[i]
}

// causes are the errors of the run by kind, most first, steps put together.
func causes(r *result.Result) []result.ErrorGroup {
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

// sampleText is a failed request in a few words.
func sampleText(s *result.Sample) string {
	if s == nil {
		return ""
	}
	text := clean(s.Request)
	if said := clean(s.Said()); said != "" {
		if text != "" {
			text += ": "
		}
		text += said
	}
	return text
}
