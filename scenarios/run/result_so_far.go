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

// sample asks the watcher, because only its goroutine may read its data.
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

// interim is the state that one look at a run leaves for the next.
type interim struct {
	header *result.Result // the part of a result that does not change
	judge.Interim
}

// soFar composes the result so far.
func (l *live) soFar() *result.Result {
	if l.interim.header == nil {
		l.interim.header = l.head()
	}
	s, head := l.snapshotNow(), *l.interim.header
	res := &head
	res.Duration, res.Verdict, res.T0 = result.Sec(s.at), scenarios.Running, l.T0()
	res.Going = &result.Going{At: l.Now(), End: l.End(), Timetable: l.timetable}
	f, err := s.compose(res, func(c judge.Case) (*judge.Findings, error) { return l.interim.Findings(l.loads.rec, c) })
	if err != nil {
		l.logger.Warn("looking at the run", "error", err)
		return nil
	}
	res.Generator = l.observers.mon.SoFar()
	judgeGenerator(&res.Generator, f, lagLimit(l.Scenario.SLO))
	res.Notes = append(slices.Clone(l.Notes), f.Notes...)
	soFar := result.Reason{Kind: result.SoFar, Verdict: scenarios.Running}
	res.Reason = soFar.Sentence(res)
	return result.Masked(res, l.Scenario.Secrets.Mask)
}
