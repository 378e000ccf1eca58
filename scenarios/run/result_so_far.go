package run

import (
	"context"
	"fmt"
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
	res.Reason = reasonSoFar(res.Objectives)
	return result.Masked(res, l.Scenario.Secrets.Mask)
}

// reasonSoFar describes the state of the objectives.
func reasonSoFar(objectives []result.ObjectiveResult) string {
	n := map[scenarios.Verdict]int{}
	for _, o := range objectives {
		n[o.Verdict]++
	}
	switch {
	case len(objectives) == 0:
		return "No objective is set, so this run has no verdict."
	case n[scenarios.Fail] > 0:
		return fmt.Sprintf("So far %d of %d objectives fail, %d hold, and %d can't be judged yet.", n[scenarios.Fail],
			len(objectives), n[scenarios.Pass], n[scenarios.Pending])
	case n[scenarios.Pending] > 0:
		return fmt.Sprintf("So far no objective fails: %d of %d hold, and %d can't be judged yet.", n[scenarios.Pass],
			len(objectives), n[scenarios.Pending])
	}
	if len(objectives) == 1 {
		return "So far the objective holds."
	}
	return fmt.Sprintf("So far all %d objectives hold.", len(objectives))
}
