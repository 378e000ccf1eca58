package judge

import (
	"fmt"
	"math"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/judge/series"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// judge judges every objective.
func (f *composer) judge(ps []phase, sums [][]measure.Cell) {
	for _, o := range f.c.SLO {
		var r result.ObjectiveResult
		switch {
		case o.Metric.OfFault():
			r = f.judgeFault(o)
		case o.Metric.OfLedger():
			r = judgeWrites(o, f.c.Ledgers)
		case o.Metric.OfSeries():
			r = f.judgePhases(o, ps, func(o slo.Objective, i int, p phase) result.ObjectiveResult {
				return f.c.Lost.Gauge(p.Span, series.JudgeGauge(o, p.name, p.Span, f.c.Usage, f.c.Series,
					requests.Sent(&f.Config.Series, o, sums[i])))
			})
		default:
			r = f.judgePhases(o, ps, func(o slo.Objective, i int,
				p phase,
			) result.ObjectiveResult {
				return f.judgeIn(o, p, i, sums[i])
			})
		}
		f.judgeSkipped(o, &r)
		r.ID, r.Text, r.Metric, r.Op, r.Target = o.ID, o.Text, o.Metric.Text, o.Op, requests.RelativeTarget(o, &r)
		r.Asked = &o
		r.Infinite = math.IsInf(float64(r.Measured), 1)
		f.out.Objectives = append(f.out.Objectives, r)
	}
}

// Notes on objectives without their phase or fault.
const (
	noPhase = "the phase did not occur"
	noFault = "the fault was not injected"
)

// absent is the result of an objective whose phase did not occur, or whose fault was not injected.
func absent(phase slo.Phase, note string) result.ObjectiveResult {
	r := requests.Unanswered(phase, note)
	r.Why = result.Absent
	return r
}

// inPhase reports whether the objective is judged in the phase, or in an occurrence of it.
func inPhase(o slo.Objective, phase slo.Phase) bool { return o.PhaseOrRun().Includes(phase) }

// judgePhases judges an objective in its phase. Where a fault occurred several times, the worst
// phase counts.
func (f *composer) judgePhases(
	o slo.Objective, ps []phase, in func(o slo.Objective, i int, p phase) result.ObjectiveResult,
) result.ObjectiveResult {
	worst := absent(o.PhaseOrRun(), noPhase)
	found := false
	for i, p := range ps {
		if !inPhase(o, p.name) {
			continue
		}
		r := f.judgeRelative(o, i, ps, in)
		if p.of != ofNone {
			f.limitVerdict(p.of, &r)
		}
		if !found || requests.Worse(o, &r, &worst) {
			worst, found = r, true
		}
	}
	return worst
}

// judgeRelative judges an objective in phase i, held to what its reference was if it is relative.
func (f *composer) judgeRelative(
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
		return requests.Unanswered(ps[i].name, "there was no "+o.Reference.Phase.String()+" to compare with")
	}
	reference := in(of, j, ps[j])
	whole := requests.VerdictIf(true)
	if f.c.Lost.Gauge(ps[j].Span, result.ObjectiveResult{Verdict: whole}).Verdict != whole {
		return requests.Unanswered(ps[i].name, "a worker was lost, whose requests "+ps[j].name.String()+" lacks")
	}
	return requests.JudgeRelative(o, reference, func(o slo.Objective) result.ObjectiveResult { return in(o, i, ps[i]) })
}

func (f *composer) judgeIn(o slo.Objective, p phase, i int, cells []measure.Cell) result.ObjectiveResult {
	measured := &requests.Sum{}
	for s := range cells {
		if requests.Selects(&f.Config.Series, o, s) {
			measured.Merge(cells[s].CountsWithTimes())
		}
	}
	punctual := *measured.Punctual()
	whole, timely := f.judgeSum(o, p, i, *measured, asMeasured), f.judgeSum(o, p, i, punctual, (*measure.Counts).Punctual)
	if requests.AsksRelative(o) {
		return requests.Either(whole, timely)
	}
	r := requests.Valid(whole, timely, &measured.Counts)
	f.holdsWithMissed(o, p, i, punctual, &r)
	f.correct(o, p, cells, &r)
	return f.c.Lost.Valid(&f.Config.Series, o, p.Span, r, func(bad, good int64) scenarios.Verdict {
		sum := *measured
		sum.Kinds[scenarios.Error] += bad
		sum.Kinds[scenarios.OK] += good
		sum.Failed += bad
		return f.judgeSum(o, p, i, sum, asMeasured).Verdict
	})
}

// holdsWithMissed makes a pass in the phase of a fault invalid, if it does not hold with the requests as bad that did
// not meet the fault, because brunt stood still until it was over.
func (f *composer) holdsWithMissed(o slo.Objective, p phase, i int, sum requests.Sum, r *result.ObjectiveResult) {
	if r.Verdict != scenarios.Pass || p.name.Kind != slo.FaultPhase {
		return
	}
	n := min(f.missed(o, p.of), sum.Kinds[scenarios.OK])
	if n == 0 {
		return
	}
	sum.Kinds[scenarios.OK] -= n
	sum.Kinds[scenarios.Error] += n
	sum.Failed += n
	if f.judgeSum(o, p, i, sum, (*measure.Counts).Punctual).Verdict != scenarios.Pass {
		r.Doubt(fmt.Sprintf(result.OwnLag+
			": it sent %d requests of %s after that was over, and the objective does not hold if those were bad", n, p.name))
	}
}

// A view of counts: as measured, or without brunt's own time.
type view func(*measure.Counts) *measure.Counts

func asMeasured(c *measure.Counts) *measure.Counts { return c }

// judgeSum judges an objective over counts that are as seen by as.
func (f *composer) judgeSum(o slo.Objective, p phase, i int, counts requests.Sum, as view) result.ObjectiveResult {
	sum, limit := &counts, requests.LimitIndex(f.Config.Limits, o)
	r := requests.Unanswered(p.name, "")
	if row := o.Metric.Row(); row.Spans != nil {
		v, n := row.Spans(o.Metric, spans(f.readings, o, p, as))
		r.Measured, r.Count = result.Num(v), n
	} else {
		if row.Rate != nil {
			sum.Iterations, sum.Span = f.iterations(o, p.Span, as)
		}
		r.Measured, r.Count = result.Num(sum.Measure(o, limit)), sum.Population(o.Metric)
	}
	if requests.NeedsBound(o) && r.Count > 0 {
		bound := result.Num(requests.Bound(o, sum, limit))
		r.Bound = &bound
	}
	if b := f.blocksOf(o, i); b != nil {
		low, high := b.Interval(o, limit)
		r.Low, r.High = result.Num(low), result.Num(high)
	} else if requests.AsksRelative(o) {
		low, high := sum.Interval(o, limit)
		r.Low, r.High = result.Num(low), result.Num(high)
	}
	r.Verdict, r.Note = f.verdict(o, sum, limit, p, r)
	return r
}

// verdict decides an objective in a phase.
//
// A rate of zero, while the load could begin iterations, fails a lower bound: a blocked closed load
// begins none. It never passes an upper bound.
func (f *composer) verdict(
	o slo.Objective, sum *requests.Sum, limit int, p phase, r result.ObjectiveResult,
) (scenarios.Verdict, string) {
	met := sum.Holds(o, limit)
	if requests.OfSpans(o.Metric) {
		met = requests.Meets(o, float64(r.Measured))
	}
	switch {
	case r.Count > 0 && !math.IsNaN(float64(r.Measured)):
	case o.Metric.Row().Rate != nil && sum.Span > 0 && !met:
		return scenarios.Fail, "no iteration began in " + p.name.String()
	case p.Length() == 0:
		return scenarios.Inconclusive, p.name.String() +
			" is empty: another fault was injected, or the load ended, before the fault was cleared"
	default:
		return scenarios.Inconclusive, "no request in " + p.name.String()
	}
	if need, ok := requests.Need(o); ok && r.Count < need {
		if !met && requests.BeyondDoubt(o, sum, limit) {
			return scenarios.Fail, fmt.Sprintf("only %d requests, but too many of them were bad", r.Count)
		}
		return scenarios.Inconclusive, fmt.Sprintf("%d requests, but at least %d are needed", r.Count, need)
	}
	if f.c.Strict && !o.Fact() && !math.IsNaN(float64(r.Low)) &&
		requests.Meets(o, float64(r.Low)) != requests.Meets(o, float64(r.High)) {
		return scenarios.Inconclusive, "strict: the target lies within the interval"
	}
	if !met {
		return scenarios.Fail, ""
	}
	if note := requests.Unshown(o, sum, limit); note != "" {
		return scenarios.Inconclusive, note
	}
	return scenarios.Pass, ""
}

// planBlocks makes the blocks for every objective and phase with an interval, in phases of ten
// seconds and more.
func (f *composer) planBlocks(ps []phase) {
	f.blocks = map[int][]*requests.Blocks{}
	for _, o := range requests.WithReferences(f.c.SLO) {
		for i, p := range ps {
			if !requests.HasInterval(o.Metric) || !inPhase(o, p.name) || p.Length() < requests.MinBlocks*time.Second ||
				f.blocksOf(o, i) != nil {
				continue
			}
			f.blocks[i] = append(f.blocks[i], requests.NewBlocks(requests.KeyOf(o, i), p.From, p.Length()))
		}
	}
}

// blocksOf returns the blocks for an objective in phase i; nil where there are none, or where its
// metric has no interval.
func (f *composer) blocksOf(o slo.Objective, i int) *requests.Blocks {
	if !requests.HasInterval(o.Metric) {
		return nil
	}
	for _, b := range f.blocks[i] {
		if b.Key == requests.KeyOf(o, i) {
			return b
		}
	}
	return nil
}
