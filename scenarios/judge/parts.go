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
	tells := f.slownessOf(slo.Objective{}).tells
	out := &result.ImpactParts{
		First: result.NaN, Last: result.NaN, Untested: tells != nil && !tells[i],
		FewBad: f.answers[i].FewBad(),
	}
	own, shared := lostTo(f, i), sharedLoss(f, i)
	out.Lost, out.LostMessages = own.n, own.messages
	out.LostShared, out.LostSharedMessages, out.LostWith = shared.n, shared.messages, shared.with
	switch s := f.slowdownOrStep(i); s.Answer {
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
	out.StepOutage = stepOutage(f, i, ps, sums)
	return out
}

// stepOutage returns the outage of one step during occurrence i, where bad requests of all steps stayed within the
// limit. They may be too few to be an impact on all, while the step served none of its own. Shed requests count as bad
// if they surge, see withShed. Of several steps it returns the one of which most requests were bad. It is nil without
// one.
func stepOutage(f *effects, i int, ps []phase, sums [][]measure.Cell) (out *result.StepOutage) {
	in := phaseOf(ps, f.read.Faults[i].Phase())
	if a := f.reported(i); in < 0 || !untouched(a) && (!a.MaySlow || a.Notes != nil) {
		return nil
	}
	most := int64(0) // bad and shed requests, without those that were skipped because an earlier step failed
	for s := range f.read.Config.Steps {
		n := sums[in][s].Counts().Punctual()
		bad := n.Bad() + n.Slow + n.Kinds[scenarios.Shed] - n.Kinds[scenarios.Skipped]
		if bad > most && f.stepDown(i, s) {
			most = bad
			out = &result.StepOutage{
				Step: f.read.stepName(s), Requests: n.Offered(), Errors: n.Bad(), Slow: n.Slow, Shed: n.Kinds[scenarios.Shed],
			}
		}
	}
	return out
}

// stepDown reports whether step s alone had an outage during occurrence i, whether the load recovered from it before
// another fault or not.
func (f *effects) stepDown(i, s int) bool {
	if !f.read.Config.InSums(s) {
		return false
	}
	step := f.read.Config.Steps[s]
	a := f.ask(i, slo.Objective{
		Metric: slo.Metric{Name: "recover"}, Step: step.Name, Load: f.read.Config.Loads[step.Load].Name,
	})
	return a.OnsetAt.Known() && (a.Tells() || a.NotBefore.Known())
}

// anyStepDown reports whether any step alone had an outage during occurrence i.
func (f *effects) anyStepDown(i int) bool {
	for s := range f.read.Config.Steps {
		if f.stepDown(i, s) {
			return true
		}
	}
	return false
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

// A loss is what was lost to a fault, or to it or to others: acknowledged writes, and messages of deliveries.
type loss struct {
	n, messages int64    // of n, those that were messages
	with        []string // the others that it may have been lost to
}

func (l *loss) add(s *result.LostSpan, message bool) {
	l.n += s.Lost
	if message {
		l.messages += s.Lost
	}
}

// eachLoss calls take for each loss of the run. message says that messages of a delivery were lost, and not writes.
func (f *effects) eachLoss(take func(s *result.LostSpan, message bool)) {
	for _, l := range f.read.c.Ledgers {
		for i := range l.LostSpans {
			take(&l.LostSpans[i], false)
		}
	}
	for _, d := range f.read.c.Deliveries {
		for i := range d.LostSpans {
			take(&d.LostSpans[i], true)
		}
	}
}

// lostTo returns what was lost to occurrence i.
func lostTo(f *effects, i int) (out loss) {
	name := f.read.Faults[i].Name
	f.eachLoss(func(s *result.LostSpan, message bool) {
		if s.Fault != "" && s.Fault == name {
			out.add(s, message)
		}
	})
	return out
}

// sharedLoss returns what was lost to occurrence i or to another one, or to none. It is unknown to which it was lost.
func sharedLoss(f *effects, i int) (out loss) {
	name := f.read.Faults[i].Name
	f.eachLoss(func(s *result.LostSpan, message bool) {
		if name == "" || !slices.Contains(s.Faults, name) {
			return
		}
		out.add(s, message)
		for _, other := range s.Faults {
			if other != name && !slices.Contains(out.with, other) {
				out.with = append(out.with, other)
			}
		}
	})
	return out
}

// lossUntold says that writes or messages may have been lost to occurrence i; nil if none was.
func lossUntold(f *effects, i int) (out result.Notes) {
	l := sharedLoss(f, i)
	for _, one := range []result.Note{
		{Kind: result.LossShared, Count: l.n - l.messages}, {Kind: result.MessagesShared, Count: l.messages},
	} {
		if one.Faults = l.with; len(l.with) == 0 {
			one = result.Note{Kind: result.LossUnshown, Count: one.Count, Of: f.read.Faults[i].Name}
		}
		if one.Count > 0 {
			out = append(out, one)
		}
	}
	return out
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
