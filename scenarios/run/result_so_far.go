package run

import (
	"context"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/run/outcome"
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
	c := s.judgeCase()
	f, err := l.interim.Findings(l.loads.rec, c)
	if err != nil {
		l.session.logger.Warn("looking at the run", "error", err)
		return nil
	}
	var now []measure.Occurrence // a fault may have been injected or cleared since
	for i := range f.Faults {
		now = append(now, f.Faults[i].Occurrence)
	}
	s.records = s.recordsSoFar(now)
	s.addTo(res, &c)
	outcome.Fill(res, f)
	res.Faults = s.faultsSoFar(f)
	res.Generator = l.observers.mon.SoFar()
	outcome.JudgeGenerator(&res.Generator, f, lagLimit(l.plan.Scenario.SLO), ownMachine())
	res.Notes = append(slices.Clone(l.plan.Notes), f.Notes...)
	soFar := result.Reason{Kind: result.SoFar, Verdict: scenarios.Running}
	res.Reason = soFar.Sentence(res)
	return result.Masked(res, l.plan.Scenario.Secrets.Mask)
}
