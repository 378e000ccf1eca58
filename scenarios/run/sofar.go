package run

import (
	"context"
	"fmt"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/result"
	"brunt/scenarios/run/generator"
)

// A Look returns the result so far of a run in progress, or nil when its load is over. Any goroutine
// may call it; it costs the run nothing unless it is called. [result.Result.Going] says which parts
// of the result are present.
type Look func(ctx context.Context) *result.Result

// Look asks the watcher, because only its goroutine may read its data.
func (r *runner) Look(ctx context.Context) *result.Result {
	answer := make(chan *result.Result, 1)
	select {
	case r.looks <- answer:
		return <-answer
	case <-r.watched:
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
func (r *runner) soFar() *result.Result {
	if r.interim.header == nil {
		r.interim.header = r.head()
	}
	s, head := r.snapshotNow(), *r.interim.header
	res := &head
	res.Duration, res.Verdict, res.T0 = result.Sec(s.at), scenarios.Running, r.T0()
	res.Going = &result.Going{At: r.Now(), End: r.End()}
	f, err := s.compose(res, func(c judge.Case) (*judge.Findings, error) { return r.interim.Findings(r.rec, c) })
	if err != nil {
		r.logger.Warn("looking at the run", "error", err)
		return nil
	}
	res.Generator = r.mon.SoFar()
	generator.Judge(&res.Generator, f, generator.LagLimit(r.Scenario.SLO))
	res.Notes = append(slices.Clone(r.Notes), f.Notes...)
	res.Reason = reasonSoFar(res.Objectives)
	return res
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
		return fmt.Sprintf("So far %d of %d objectives fail, %d hold, and %d can't be told yet.", n[scenarios.Fail], len(objectives), n[scenarios.Pass], n[scenarios.Pending])
	case n[scenarios.Pending] > 0:
		return fmt.Sprintf("So far no objective fails: %d of %d hold, and %d can't be told yet.", n[scenarios.Pass], len(objectives), n[scenarios.Pending])
	}
	return fmt.Sprintf("So far all %d objectives hold.", len(objectives))
}
