package run

import (
	"context"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/result"
)

// A Sampler returns the result so far of a run in progress, or nil when its load is over. Any goroutine
// may call it; it costs the run nothing unless it is called. [result.Result.Going] says which parts
// of the result are present.
type Sampler func(ctx context.Context) *result.Result

// sample asks the goroutine of watch for the result so far, because only that goroutine may read its data.
func (l *live) sample(ctx context.Context) *result.Result {
	answer := make(chan *result.Result, 1)
	select {
	case l.samples <- answer:
		return <-answer
	case <-l.over:
	case <-ctx.Done():
	}
	return nil
}

// soFar composes the result so far.
func (l *live) soFar() *result.Result {
	if l.header == nil {
		l.header = l.session.head(l.identity)
	}
	s, head := l.snapshot(), *l.header
	res := &head
	res.Duration, res.Verdict, res.T0 = result.Sec(s.at), scenarios.Running, l.log.T0()
	res.Going = &result.Going{At: l.log.Now(), End: l.plan.End(), Timetable: l.timetable}
	f, err := s.compose(res, func(c judge.Case) (*judge.Findings, error) { return l.interim.Findings(l.loads.rec, c) })
	if err != nil {
		l.session.logger.Warn("looking at the run", "error", err)
		return nil
	}
	res.Generator = l.observers.mon.SoFar()
	judgeGenerator(&res.Generator, f, lagLimit(l.plan.Scenario.SLO))
	res.Notes = append(slices.Clone(l.plan.Notes), f.Notes...)
	soFar := result.Reason{Kind: result.SoFar, Verdict: scenarios.Running}
	res.Reason = soFar.Sentence(res)
	return result.Masked(res, l.plan.Scenario.Secrets.Mask)
}
