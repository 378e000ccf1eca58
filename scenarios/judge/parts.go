package judge

import (
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/impact"
	"brunt/scenarios/judge/counted"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// parts are the parts of the impact of occurrence i, from the sums of phases.
func parts(f *effects, i int, ps []phase, sums [][]measure.Cell) *result.ImpactParts {
	oc := &f.Faults[i]
	if oc.Name == "" {
		return nil
	}
	out := &result.ImpactParts{First: result.NaN, Last: result.NaN, Lost: lostTo(f, i), Slowed: f.slower != nil && f.slower[i]}
	if l := f.c.Ledger; l != nil {
		out.Late = l.LateTo[oc.Name]
	}
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
func partsOf(f *effects, ps []phase, sums [][]measure.Cell, name string) *measure.Cell {
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
func lostTo(f *effects, i int) int64 {
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

// A shedView holds the records with shed requests as errors.
type shedView struct {
	known   bool
	covered []bool   // by load: an objective on shed covers it
	records []record // nil: nothing was shed that no objective covers
}

// withoutShed returns the records with shed requests as errors, except those of loads that an
// objective on shed covers: it says how much of them may be shed. It is nil where no other request
// was shed.
func withoutShed(f *effects) []record {
	if f.shed.known {
		return f.shed.records
	}
	f.shed.known = true
	covered := make([]bool, len(f.Config.Loads))
	for l := range covered {
		covered[l] = slices.ContainsFunc(f.c.SLO, func(o slo.Objective) bool { return ofShed(o.Metric.Row()) && counted.About(&f.Config.Series, o, l) })
	}
	var records []record
	for i := range f.records {
		r := &f.records[i]
		if int(r.Series) >= len(f.Config.Steps) || r.Kinds[scenarios.Shed] == 0 || covered[f.Config.Steps[r.Series].Load] {
			continue
		}
		if records == nil {
			records = slices.Clone(f.records)
		}
		records[i].Kinds[scenarios.Error] += r.Kinds[scenarios.Shed]
		records[i].Kinds[scenarios.Shed] = 0
		records[i].edges = r.edges.ShedAsBad()
	}
	f.shed.records, f.shed.covered = records, covered
	return records
}

// ofShed reports whether a metric is about shed requests alone.
func ofShed(r *slo.Row) bool { return r.CountsShed && !r.CountsBad }

// withShed is the answer a about occurrences that are taken for one, or the one with shed requests as errors where those
// surged. A load that shed before the fault is held against more than twice of that.
func withShed(f *effects, of []int, o slo.Objective, a impact.Answer) impact.Answer {
	records := withoutShed(f)
	if records == nil || a.BadBefore {
		return a
	}
	read := *f.readings
	read.records = records
	q := questionOn(&effects{readings: &read, answers: f.answers}, of, o)
	var n, bad int64
	for _, s := range q.Baseline {
		n, bad = n+s.N, bad+s.Bad
	}
	q.Limit = surge(q.Limit, float64(bad)/max(1, float64(n)))
	b := impact.Ask(q)
	if b.BadBefore || !b.OnsetAt.Known() {
		return a
	}
	width := result.Sec(b.Resolution)
	if a.OnsetAt.Known() && a.OnsetAt <= b.OnsetAt+width && a.RecoveredAt.Known() && b.RecoveredAt.Known() && b.RecoveredAt <= a.RecoveredAt+width {
		return a // whose edges are exact
	}
	b.Failed = a.Failed
	return b
}

// surge is the limit of bad requests, the shed included, of a load of which the share before was shed
// before: one that shed anyway surges where it sheds more than twice of that.
func surge(limit, before float64) float64 {
	if 2*before > limit {
		return min(.9, limit+2*before)
	}
	return limit
}
