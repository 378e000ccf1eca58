package judge

import (
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
)

// The texts of the adjustments for requests that brunt cut off at the end of the run.
const (
	cutName   = "ended by brunt"
	cutCounts = "requests that brunt cut off at the end of the run do not count, because whether they would have been " +
		"answered is unknown; those that had lasted longer than the objective allows by then are bad all the same"
	cutChanged = "a failure is invalid if the loads ended by themselves and `grace` cut the requests off, and inconclusive " +
		"if the run was ended before its time. So is a pass that fails without them"
)

// withoutCut judges an objective again without the requests that brunt cut off.
func (e *evaluator) withoutCut(q *ask, r result.ObjectiveResult) result.ObjectiveResult {
	n := q.measured.Cut.N()
	if n == 0 || r.Verdict != scenarios.Fail && r.Verdict != scenarios.Pass {
		return r
	}
	uncut, read := *e, e.read.withoutCut()
	uncut.read, uncut.blocks = &read, nil
	limit := requests.LimitIndex(e.read.Config.Limits, q.o)
	as, sum := func(c *measure.Counts) *measure.Counts { return c.Uncut(limit) }, q.measured
	sum.Counts = *sum.Uncut(limit)
	if q.o.Metric.Row().Rate != nil { // they were offered, and may have been good
		as = asMeasured
		sum.Kinds[scenarios.OK] += n
	}
	if without := uncut.judgeSum(q.o, q.p, q.i, sum, as).Verdict; r.Verdict == scenarios.Fail && without != r.Verdict ||
		without == scenarios.Fail && without != r.Verdict {
		e.read.doubtCut(&r, n, q.measured.Offered(), func(i int) bool { return q.cells[i].Cut() > 0 })
	}
	return r
}

// withoutCut judges a failure on faults again without the requests that brunt cut off.
func withoutCut(f *effects, q *faultAsk, r result.ObjectiveResult) result.ObjectiveResult {
	var cut, all int64
	series := map[int]bool{}
	for i := range f.read.records {
		if r := &f.read.records[i]; requests.Selects(&f.read.Config.Series, q.o, int(r.Series)) && r.Start < f.read.end {
			cut, all = cut+r.Cut.N(), all+r.Offered()
			series[int(r.Series)] = series[int(r.Series)] || r.Cut.N() > 0
		}
	}
	if cut > 0 && q.judge(f.supposing(f.read.withoutCut())).Verdict != scenarios.Fail {
		f.read.doubtCut(&r, cut, all, func(i int) bool { return series[i] })
	}
	return r
}

// withoutCut returns readings without the requests that brunt cut off. Those that had lasted longer than the time that
// an objective names, or than the limit of slow answers, are still bad; see [readings.slices].
func (f *readings) withoutCut() readings {
	out := *f
	out.records, out.windows, out.flows, out.uncut = slices.Clone(f.records), nil, nil, true
	for i := range out.records {
		if r := &out.records[i]; r.Cut.N() > 0 {
			r.edges = r.edges.Uncut()
		}
	}
	return out
}

// doubtCut makes an objective undecided that n of all requests decide which brunt cut off. It is invalid, as `grace`
// was too short, unless the run was ended before its time. of says which series the requests are of.
func (f *readings) doubtCut(r *result.ObjectiveResult, n, all int64, of func(int) bool) {
	if f.c.EndedEarly {
		r.Verdict, r.Because, r.Why = scenarios.Inconclusive, result.Notes{{Kind: result.CutByEnd, Part: n, Count: all}}, ""
		return
	}
	note := result.Note{Kind: result.CutByGrace, Part: n, Count: all}
	grace, timeout := time.Duration(0), time.Duration(0)
	for i := range f.Config.Steps {
		if l := &f.Config.Loads[f.Config.LoadOf(i)]; of(i) && l.Timeout > timeout {
			grace, timeout = l.Grace, l.Timeout
		}
	}
	if timeout == 0 { // of a script, which says itself how long its requests may take
		note.Kind = result.CutByScript
	}
	note.For, note.Limit = result.Sec(grace), result.Sec(timeout)
	r.Verdict, r.Because, r.Why = scenarios.Invalid, result.Notes{note}, ""
}
