package judge

import (
	"fmt"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// parts returns the parts of the impact of occurrence i, from the sums of phases.
func parts(f *effects, i int, ps []phase, sums [][]measure.Cell) *result.ImpactParts {
	oc := &f.read.Faults[i]
	if oc.Name == "" {
		return nil
	}
	out := &result.ImpactParts{
		First: result.NaN, Last: result.NaN, Lost: lostTo(f, i), Untested: f.tells != nil && !f.tells[i],
	}
	out.LostShared, out.LostWith = sharedLoss(f, i)
	switch s := f.slowdown(i); s.Answer {
	case result.Yes:
		out.Slowed = true
	case result.Untested:
		out.SlowerBecause = s.Why
		out.Say()
	case result.No:
	}
	for _, l := range f.read.c.Ledgers {
		out.Late += l.LateTo[oc.Name]
	}
	during, before := partsOf(f, ps, sums, oc.Phase()), partsOf(f, ps, sums, slo.Phase{Kind: slo.BaselinePhase})
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
	var lacking result.Answer
	out.Partial, out.PartialBefore, lacking = requests.Lacking(during.Counts().Punctual(), n)
	out.Lacking, out.LackingUntold = lacking == result.Yes, lacking == result.Untested
	out.P50, out.P95 = during.PunctualQuantile(.5), during.PunctualQuantile(.95)
	out.P50Before, out.P95Before = before.PunctualQuantile(.5), before.PunctualQuantile(.95)
	for _, j := range f.read.index().Affected[i] {
		r := &f.read.records[j]
		if r.Start < 0 || !r.edges.Bad || !f.read.Config.InSums(int(r.Series)) {
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

// partsOf adds up the steps of the phase called name.
func partsOf(f *effects, ps []phase, sums [][]measure.Cell, name slo.Phase) *measure.Cell {
	total := &measure.Cell{}
	if i := phaseOf(ps, name); i >= 0 {
		for s := range f.read.Config.Steps {
			if f.read.Config.InSums(s) {
				total.Add(&sums[i][s])
			}
		}
	}
	return total
}

// lostTo returns the number of acknowledged writes that were lost to occurrence i.
func lostTo(f *effects, i int) int64 {
	n := int64(0)
	for _, l := range f.read.c.Ledgers {
		for _, s := range l.LostSpans {
			if s.Fault != "" && s.Fault == f.read.Faults[i].Name {
				n += s.Lost
			}
		}
	}
	return n
}

// sharedLoss returns the number of acknowledged writes that were lost to occurrence i or to another one, and the names
// of the others. It is unknown to which they were lost.
func sharedLoss(f *effects, i int) (n int64, with []string) {
	name := f.read.Faults[i].Name
	for _, l := range f.read.c.Ledgers {
		for _, s := range l.LostSpans {
			if name == "" || !slices.Contains(s.Faults, name) {
				continue
			}
			n += s.Lost
			for _, other := range s.Faults {
				if other != name && !slices.Contains(with, other) {
					with = append(with, other)
				}
			}
		}
	}
	return n, with
}

// lossUntold says that writes may have been lost to occurrence i; nil if no such write was lost.
func lossUntold(f *effects, i int) result.Notes {
	n, with := sharedLoss(f, i)
	if n == 0 {
		return nil
	}
	return result.Notes{{Kind: result.LossShared, Count: n, Faults: with}}
}

// A shedView holds the records with shed requests as errors.
type shedView struct {
	covered []bool   // by step: whether an objective on shed covers it
	records []record // nil if objectives cover all shed requests
}

// shedViews caches views, by the steps that are covered.
type shedViews struct {
	run *shedView // for incidents
	by  map[string]*shedView
}

// withoutShed returns the records with shed requests as errors, except in steps that an objective on shed covers,
// because such an objective says how much may be shed. An objective on the run covers all occurrences, and one in the
// phase of a fault covers that fault. of lists occurrences that all have to be covered; it is empty for the whole
// run.
func withoutShed(f *effects, of ...int) *shedView {
	if of == nil && f.shed.run != nil {
		return f.shed.run
	}
	covered := make([]bool, len(f.read.Config.Steps))
	for s := range covered {
		covered[s] = f.read.shedCovered(s, of)
	}
	key := fmt.Sprint(covered)
	v := f.shed.by[key]
	if v == nil {
		v = f.read.viewShed(covered)
		if f.shed.by == nil {
			f.shed.by = map[string]*shedView{}
		}
		f.shed.by[key] = v
	}
	if of == nil {
		f.shed.run = v
	}
	return v
}

// shedCovered reports whether an objective bounds how much of a step may be shed, over the run or in each of some
// occurrences.
func (f *readings) shedCovered(step int, of []int) bool {
	in := func(phase slo.Phase) bool {
		return slices.ContainsFunc(f.c.SLO, func(o slo.Objective) bool {
			if !ofShed(o.Metric.Row()) || !o.Upper() && o.Op != "=" || !inPhase(o, phase) {
				return false
			}
			if o.Step == "iteration" { // it covers all steps of its load
				o.Step = ""
			}
			return requests.Selects(&f.Config.Series, o, step)
		})
	}
	return in(slo.Phase{Kind: slo.RunPhase}) ||
		len(of) > 0 && !slices.ContainsFunc(of, func(i int) bool { return !in(f.Faults[i].Phase()) })
}

// viewShed returns the records with shed requests as errors, without those of covered steps.
func (f *readings) viewShed(covered []bool) *shedView {
	out := &shedView{covered: covered}
	for i := range f.records {
		r := &f.records[i]
		if int(r.Series) >= len(f.Config.Steps) || r.Kinds[scenarios.Shed] == 0 || covered[r.Series] {
			continue
		}
		if out.records == nil {
			out.records = slices.Clone(f.records)
		}
		out.records[i].Kinds[scenarios.Error] += r.Kinds[scenarios.Shed]
		out.records[i].Kinds[scenarios.Shed] = 0
		out.records[i].edges = r.edges.ShedAsBad()
	}
	return out
}

// ofShed reports whether a metric counts only shed requests.
func ofShed(r *slo.Row) bool { return r.CountsShed && !r.CountsBad }

// withShed returns the answer a about occurrences that count as one fault, or, if shed requests surged, the answer
// with shed requests as errors. If the target shed requests before the fault, a surge is more than twice as many.
func withShed(f *effects, of []int, o slo.Objective, a effect.Answer) effect.Answer {
	records := withoutShed(f, of...).records
	if records == nil || a.BadBefore {
		return a
	}
	read := *f.read
	read.records = records
	q := questionOn(&effects{read: &read, answers: f.answers}, of, o)
	var n, bad int64
	for _, s := range q.Baseline {
		n, bad = n+s.N, bad+s.Bad
	}
	q.Limit = surge(q.Limit, float64(bad)/max(1, float64(n)))
	b := effect.Ask(q)
	if b.BadBefore || !b.OnsetAt.Known() {
		return a
	}
	width := result.Sec(b.Resolution)
	if a.OnsetAt.Known() && a.OnsetAt <= b.OnsetAt+width && a.RecoveredAt.Known() && b.RecoveredAt.Known() &&
		b.RecoveredAt <= a.RecoveredAt+width {
		return a // the edges of a are exact
	}
	b.Failed = a.Failed
	return b
}

// surge returns the limit of the share of bad requests if shed requests count as bad. before is the share that was
// shed before the fault. The limit is more than twice that share.
func surge(limit, before float64) float64 {
	if 2*before > limit {
		return min(.9, limit+2*before)
	}
	return limit
}
