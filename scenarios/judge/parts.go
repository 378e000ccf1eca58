package judge

import (
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
)

// parts are the parts of the impact of occurrence i, from the sums of phases.
func parts(f *composer, i int, ps []phase, sums [][]measure.Cell) *result.ImpactParts {
	oc := &f.Faults[i]
	if oc.Name == "" {
		return nil
	}
	out := &result.ImpactParts{First: result.NaN, Last: result.NaN, Lost: lostTo(f, i)}
	during, before := partsOf(f, ps, sums, oc.Name), partsOf(f, ps, sums, "baseline")
	n := during.Counts().Punctual()
	out.Requests, out.Errors, out.Slow, out.Shed = n.Offered(), n.Bad(), n.Slow, n.Kinds[scenarios.Shed]
	n = before.Counts().Punctual()
	share := func(k int64) result.Num {
		if n.Offered() == 0 {
			return result.NaN
		}
		return result.Num(float64(k) / float64(n.Offered()))
	}
	out.ErrorsBefore, out.SlowBefore, out.ShedBefore = share(n.Bad()), share(n.Slow), share(n.Kinds[scenarios.Shed])
	out.P50, out.P95 = during.Response[scenarios.OK].Quantile(.5), during.Response[scenarios.OK].Quantile(.95)
	out.P50Before, out.P95Before = before.Response[scenarios.OK].Quantile(.5), before.Response[scenarios.OK].Quantile(.95)
	for j := range f.records {
		r := &f.records[j]
		if r.Start < 0 || !r.edges.Bad || !f.Config.InSums(int(r.Series)) || !slices.Contains(f.Sets[r.Set], int32(i)) {
			continue
		}
		first, last := result.Sec(r.edges.FirstBad), result.Sec(r.edges.LastBad)
		if !out.First.Known() {
			out.First, out.Last = first, last
		}
		out.First, out.Last = min(out.First, first), max(out.Last, last)
	}
	return out
}

// partsOf adds up the steps of the phase with a name.
func partsOf(f *composer, ps []phase, sums [][]measure.Cell, name string) *measure.Cell {
	total := &measure.Cell{}
	if i := slices.IndexFunc(ps, func(p phase) bool { return p.name == name }); i >= 0 {
		for s := range f.Config.Steps {
			if f.Config.InSums(s) {
				total.Add(&sums[i][s])
			}
		}
	}
	return total
}

// lostTo is the number of acknowledged writes that were lost to occurrence i.
func lostTo(f *composer, i int) int64 {
	n := int64(0)
	if f.c.Ledger != nil && f.Faults[i].Name != "" {
		for _, s := range f.c.Ledger.LostSpans {
			if s.Fault == f.Faults[i].Name {
				n += s.Lost
			}
		}
	}
	return n
}
