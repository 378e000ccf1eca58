package judge

import (
	"math"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// absent returns the result of an objective whose phase did not occur, or whose fault was not injected; the kind of
// its note says which.
func absent(phase slo.Phase, kind result.NoteKind) result.ObjectiveResult {
	r := requests.Unanswered(phase, result.Note{Kind: kind})
	r.Why = result.Absent
	return r
}

// inPhase reports whether the objective is judged in the phase, or in an occurrence of it.
func inPhase(o slo.Objective, phase slo.Phase) bool { return o.PhaseOrRun().Includes(phase) }

// judgePhases judges an objective in its phase. If a fault occurred several times, the worst phase counts.
func (e *evaluator) judgePhases(
	o slo.Objective, ps []phase, in func(o slo.Objective, i int, p phase) result.ObjectiveResult,
) result.ObjectiveResult {
	worst := absent(o.PhaseOrRun(), result.PhaseAbsent)
	found := false
	for i, p := range ps {
		if !inPhase(o, p.name) {
			continue
		}
		r := e.judgeRelative(o, i, ps, in)
		if p.of != ofNone {
			e.effects.limitVerdict(p.of, &r)
		}
		if !found || requests.Worse(o, &r, &worst) {
			worst, found = r, true
		}
	}
	return worst
}

// judgeRelative judges an objective in phase i. It compares a relative objective with the value of its reference.
func (e *evaluator) judgeRelative(
	o slo.Objective, i int, ps []phase, in func(o slo.Objective, i int, p phase) result.ObjectiveResult,
) result.ObjectiveResult {
	if !o.Relative() {
		return in(o, i, ps[i])
	}
	of, j := o.OfReference(), i
	if o.Reference.Phase != (slo.Phase{}) {
		j = slices.IndexFunc(ps, func(p phase) bool { return inPhase(of, p.name) })
	}
	if j < 0 {
		return requests.Unanswered(ps[i].name, result.Note{Kind: result.ReferenceAbsent, Phase: o.Reference.Phase})
	}
	reference := in(of, j, ps[j])
	whole := requests.VerdictIf(true)
	if e.read.c.Lost.Gauge(ps[j].Span, result.ObjectiveResult{Verdict: whole}).Verdict != whole {
		return requests.Unanswered(ps[i].name, result.Note{Kind: result.ReferenceLost, Phase: ps[j].name})
	}
	return requests.JudgeRelative(o, reference, func(o slo.Objective) result.ObjectiveResult { return in(o, i, ps[i]) })
}

// judgeIn judges an objective on the requests of a phase: as measured, and after each adjustment.
func (e *evaluator) judgeIn(o slo.Objective, p phase, i int, cells []measure.Cell) result.ObjectiveResult {
	q := &ask{o: o, p: p, i: i, cells: cells}
	for s := range cells {
		if requests.Selects(&e.read.Config.Series, o, s) {
			q.measured.Merge(cells[s].CountsWithTimes())
		}
	}
	q.punctual = *q.measured.Punctual()
	r := e.judgeSum(o, p, i, q.measured, asMeasured)
	if requests.AsksRelative(o) { // a reference has a value and an interval, but no verdict
		return requests.Either(r, e.punctually(q, q.punctual))
	}
	for _, a := range requestAdjustments {
		r = a.make(e, q, r)
	}
	return e.withinResolution(q, r)
}

// A view of counts: as measured, or without brunt's own time.
type view func(*measure.Counts) *measure.Counts

func asMeasured(c *measure.Counts) *measure.Counts { return c }

// judgeSum judges an objective over counts, after applying view as.
func (e *evaluator) judgeSum(o slo.Objective, p phase, i int, counts requests.Sum, as view) result.ObjectiveResult {
	sum, limit := &counts, requests.LimitIndex(e.read.Config.Limits, o)
	r := requests.Unanswered(p.name)
	if row := o.Metric.Row(); row.Spans != nil {
		v, n := row.Spans(o.Metric, spans(e.read, o, p, as))
		r.Measured, r.Count = result.Num(v), n
	} else {
		if row.Rate != nil {
			sum.Iterations, sum.Span = e.read.iterations(o, p.Span, as)
		}
		r.Measured, r.Count = result.Num(sum.Measure(o, limit)), sum.Population(o.Metric)
	}
	if requests.NeedsBound(o) && r.Count > 0 {
		bound := result.Num(requests.Bound(o, sum, limit))
		r.Bound = &bound
	}
	if b := e.blocksOf(o, i); b != nil {
		low, high := b.Interval(o, limit)
		r.Low, r.High = result.Num(low), result.Num(high)
	} else if requests.AsksRelative(o) {
		low, high := sum.Interval(o, limit)
		r.Low, r.High = result.Num(low), result.Num(high)
	}
	r.Verdict, r.Because = e.verdict(o, sum, limit, p, &r)
	return r
}

// verdict decides an objective in a phase.
//
// A rate of zero, while the load could begin iterations, fails a lower bound: a blocked closed load
// begins none. It never passes an upper bound.
func (e *evaluator) verdict(
	o slo.Objective, sum *requests.Sum, limit int, p phase, r *result.ObjectiveResult,
) (scenarios.Verdict, result.Notes) {
	switch {
	case r.Count > 0 && !math.IsNaN(float64(r.Measured)):
		return requests.Decide(o, sum, limit, r, e.read.c.Strict)
	case o.Metric.Row().Rate != nil && sum.Span > 0 && !sum.Holds(o, limit):
		return scenarios.Fail, result.Notes{{Kind: result.IterationsNone, Phase: p.name}}
	case p.Length() == 0:
		return scenarios.Inconclusive, result.Notes{{Kind: result.PhaseEmpty, Phase: p.name}}
	}
	return scenarios.Inconclusive, result.Notes{{Kind: result.RequestsNone, Phase: p.name}}
}

// planBlocks makes the blocks for every objective and phase with an interval. Only phases of ten seconds or more have
// blocks.
func (e *evaluator) planBlocks(ps []phase) {
	e.blocks = map[int][]*requests.Blocks{}
	for _, o := range requests.WithReferences(e.read.c.SLO) {
		for i, p := range ps {
			if !requests.HasInterval(o.Metric) || !inPhase(o, p.name) || p.Length() < requests.MinBlocks*time.Second ||
				e.blocksOf(o, i) != nil {
				continue
			}
			e.blocks[i] = append(e.blocks[i], requests.NewBlocks(requests.KeyOf(o, i), p.From, p.Length()))
		}
	}
}

// blocksOf returns the blocks for an objective in phase i. It returns nil if there are none, or if the metric has no
// interval.
func (e *evaluator) blocksOf(o slo.Objective, i int) *requests.Blocks {
	if !requests.HasInterval(o.Metric) {
		return nil
	}
	for _, b := range e.blocks[i] {
		if b.Key == requests.KeyOf(o, i) {
			return b
		}
	}
	return nil
}
