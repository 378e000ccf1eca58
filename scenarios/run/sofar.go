package run

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
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
	head := *r.interim.header
	res := &head
	now := max(0, min(r.now(), r.End()))
	res.Duration, res.Verdict, res.T0 = result.Sec(now), scenarios.Running, r.t0
	res.Going = &result.Going{At: r.now(), End: r.End()}
	events := r.eventsOfFaults()
	c := judge.Case{
		SLO: r.judgedBySoFar(), Warmup: r.Scenario.Warmup, Hold: r.Scenario.Judge.HoldOr(), Checks: r.checkNames(), Samples: r.samples,
		Faults: map[string]judge.FaultCase{},
	}
	res.Loads = nil
	for i := range r.Loads {
		lp := &r.Loads[i]
		span := judge.Span{From: lp.Schedule.Start(), To: lp.Schedule.End()}
		c.Loads = append(c.Loads, span)
		res.Loads = append(res.Loads, result.LoadInfo{
			Name: lp.Name, Executor: lp.Executor, Engine: lp.EngineName(), Closed: lp.Schedule.Closed(), Start: result.Sec(span.From), End: result.Sec(span.To), Steps: r.stepsOf(i),
		})
	}
	c.Usage, c.Series = r.usage.SoFar(r.onClock()), r.observed.SoFar()
	r.noticedSoFar(&c, events)
	f, err := r.interim.Findings(r.rec, c)
	if err != nil {
		r.log.Warn("looking at the run", "error", err)
		return nil
	}
	res.Phases, res.Cells, res.Windows, res.Errors, res.Objectives, res.Histograms = f.Phases, f.Cells, f.Windows, f.Errors, f.Objectives, f.Histograms
	for i := range f.Faults {
		if f.Faults[i].Name != "" {
			res.Faults = append(res.Faults, r.faultSoFar(&f.Faults[i], events, now))
		}
	}
	res.Generator = r.generatorSoFar(f)
	res.Usage, res.Series = c.Usage, c.Series
	res.Notes = append(slices.Clone(r.Notes), f.Notes...)
	res.Reason = r.reasonSoFar(res)
	return res
}

// judgedBySoFar is judgedBy without its notes, which are added once.
func (r *runner) judgedBySoFar() []slo.Objective { return r.Objectives(r.o.NoChaos) }

func (r *runner) checkNames() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.checks)
}

// eventsOfFaults returns the events of each fault, by its name and the kind of event.
func (r *runner) eventsOfFaults() map[string]map[string]result.Event {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[string]map[string]result.Event{}
	for i, e := range r.events {
		if e.Fault == "" {
			continue
		}
		if out[e.Fault] == nil {
			out[e.Fault] = map[string]result.Event{}
		}
		e.T = result.Sec(r.times[i].Sub(r.t0))
		out[e.Fault][e.Event] = e
	}
	return out
}

// faultSoFar is the record of a fault while the run goes on.
func (r *runner) faultSoFar(f *judge.FaultFinding, events map[string]map[string]result.Event, now time.Duration) result.FaultRecord {
	e := events[f.Name]
	rec := result.FaultRecord{
		Name: f.Name, Units: []string{}, Planned: result.NaN, Injected: result.Sec(f.Injected), Verified: result.NaN, Cleared: result.NaN, Onset: result.NaN,
		Failover: result.NaN, Recover: result.NaN, Heal: result.NaN, Detect: result.NaN, DetectResolution: result.NaN, Within: result.NaN,
		OnsetAt: f.OnsetAt, RecoveredAt: f.RecoveredAt, Impact: f.Impact, Limit: result.Num(f.Limit), Traffic: f.Requests, TrafficUnit: "requests",
		Area: result.Num(f.Area), Degraded: result.Sec(f.Degraded), Failed: f.Failed, Resolution: result.Sec(f.Resolution),
		Evidence: e["fault.verified"].Text, GoneEvidence: e["fault.cleared"].Text, Revert: "not yet",
	}
	for _, p := range r.Faults {
		if p.Name == f.Fault {
			rec.Kind = p.Kind
		}
	}
	for _, p := range r.foreseen {
		if p.Name == f.Name {
			rec.Planned = result.Sec(p.At)
		}
	}
	if v, ok := e["fault.verified"]; ok {
		rec.Verified = v.T
	}
	if rec.OnsetAt.Known() {
		rec.Onset = max(0, rec.OnsetAt-rec.Injected)
	}
	if f.FailoverAt.Known() {
		rec.Failover = max(0, f.FailoverAt-rec.Injected)
	}
	if rec.RecoveredAt.Known() {
		rec.Recover = max(0, rec.RecoveredAt-rec.Injected)
	}
	if f.Over {
		rec.Cleared, rec.Gone, rec.Revert = result.Sec(f.Cleared), true, cmp.Or(e["fault.reverted"].Text, "none")
		rec.Heal = rec.RecoveredAt - rec.Cleared
	}
	r.alertedSoFar(&rec, f, e)
	switch {
	case !f.Over:
		rec.Impact, rec.Note = result.UnknownYet, "it is in"
		if rec.OnsetAt.Known() {
			rec.Note = fmt.Sprintf("it is in and does harm: %d requests failed so far", f.Failed)
		}
	case f.Impact == result.NotRecovered:
		rec.Impact, rec.Note = result.UnknownYet, fmt.Sprintf("it is cleared and not yet recovered from: %d requests failed so far", f.Failed)
	case f.Impact == result.UnknownYet, f.Impact == result.NotImpacted && now < f.Cleared+r.Scenario.Judge.HoldOr():
		rec.Impact, rec.Note = result.UnknownYet, "it is cleared, and it is too early to tell"
	default:
		rec.Note = f.Note
	}
	return rec
}

// generatorSoFar is brunt's own health until now.
func (r *runner) generatorSoFar(f *judge.Findings) result.Generator {
	g := r.mon.out
	g.Seconds = slices.Clone(r.mon.ticksList)
	for _, t := range g.Seconds {
		g.CPU += t.CPU / result.Num(len(g.Seconds))
		g.InFlightMax = max(g.InFlightMax, t.InFlight)
	}
	g.Lag, g.Queue, g.Offered, g.Sent, g.Clamped = f.Lag, f.Queue, f.Offered, f.Sent, f.Clamped
	g.LagLimit = result.Sec(r.lagLimit())
	g.Limits = append(r.late(f, float64(g.CPU)), starved(f)...)
	g.Healthy = len(g.Limits) == 0
	g.Spoken = []string{}
	return g
}

// reasonSoFar describes the state of the run.
func (r *runner) reasonSoFar(res *result.Result) string {
	n := map[scenarios.Verdict]int{}
	for _, o := range res.Objectives {
		n[o.Verdict]++
	}
	switch {
	case len(res.Objectives) == 0:
		return "No objective was set, so nothing can fail."
	case n[scenarios.Fail] > 0:
		return fmt.Sprintf("So far %d of %d objectives fail, %d hold, and %d can't be told yet.", n[scenarios.Fail], len(res.Objectives), n[scenarios.Pass], n[scenarios.Pending])
	case n[scenarios.Pending] > 0:
		return fmt.Sprintf("So far no objective fails: %d of %d hold, and %d can't be told yet.", n[scenarios.Pass], len(res.Objectives), n[scenarios.Pending])
	}
	return fmt.Sprintf("So far all %d objectives hold.", len(res.Objectives))
}
