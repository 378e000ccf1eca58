package run

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/driver"
	"brunt/scenarios/judge"
	"brunt/scenarios/load"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// prepare prepares load i.
func (r *runner) prepare(i, shards int) error {
	lp := &r.Loads[i]
	s := &driver.Setup{Load: &lp.Load, Protocols: r.Protocols.Select(lp.Calls()...)}
	if script := r.scripts.Of(i); script != nil {
		s.Script = script
	} else {
		s.Run, s.Target = r.loadRun(i, shards), r.reach(&lp.Load)
		s.Target.Sampler = r.samples
	}
	if r.ledger != nil {
		s.Wrap = r.ledger.User
	}
	job, connections, err := lp.Driver.Prepare(s)
	if err != nil {
		return err
	}
	r.clients, r.runs = append(r.clients, connections), append(r.runs, job)
	return nil
}

// loadRun returns the run of a load without its driver.
func (r *runner) loadRun(i, shards int) *load.Run {
	lp := &r.Loads[i]
	warm := r.Scenario.Warmup
	if lp.Start != 0 {
		warm = 0
	}
	return &load.Run{Settings: load.Settings{
		Name: lp.Name, Index: int32(i), Plan: lp.Schedule, Warmup: warm, Flows: lp.Flows, InTurn: lp.InTurn, Init: lp.Prelude,
		Timeout: lp.Timeout.D(), Grace: lp.Grace.D(), MaxInFlight: lp.InFlight(), Seed: r.Scenario.Seed, Pacing: r.Scenario.Pacing,
		Now: r.Now, Env: r.env, Vars: r.vars, Shards: shards,
		Sink: func(shard int) load.Sink { return r.rec.Shard(shard) },
	}}
}

func (r *runner) inFlight() int64 {
	n := int64(0)
	for _, l := range r.runs {
		n += l.InFlight()
	}
	return n
}

// drive runs all loads to their end, with the timeline of faults, and watches them.
func (r *runner) drive(ctx context.Context) error {
	r.Event(result.Event{Event: "load.start"})
	r.stats = make([]load.Stats, len(r.runs))
	errs := make([]error, len(r.runs))
	if !r.o.NoChaos && len(r.Faults) > 0 { // before a script can request a fault
		r.timeline.Store(r.newTimeline())
	}
	var loads sync.WaitGroup
	for i, l := range r.runs {
		loads.Go(func() {
			if r.stats[i], errs[i] = l.Go(ctx); errs[i] != nil {
				r.cancel(errs[i])
			}
		})
	}
	faults, over := context.WithCancel(ctx)
	defer over()
	var timeline sync.WaitGroup
	if t := r.timeline.Load(); t != nil {
		r.foreseen = chaos.Estimate(r.Faults, r.End())
		timeline.Go(func() { r.records = t.Play(faults) })
	}
	done := make(chan struct{})
	go func() {
		loads.Wait()
		r.Event(result.Event{Event: "load.end"})
		over()
		timeline.Wait()
		close(done)
	}()
	suspender := make(chan struct{})
	go func() {
		defer close(suspender)
		select {
		case <-r.o.Suspend:
			over()
			timeline.Wait()
			r.cancel(errSuspend)
			r.o.Stop()
		case <-done:
		}
	}()
	err := r.watch(done)
	<-done
	<-suspender
	r.stillDown()
	return errors.Join(append(errs, err)...)
}

// newTimeline creates the timeline of this run.
func (r *runner) newTimeline() *chaos.Timeline {
	t := &chaos.Timeline{
		Entries: r.Faults, Journal: r.journal, Seed: r.Scenario.Seed, MaxEach: r.Scenario.Guard.MaxEach.D(),
		SkipNone: r.Scenario.Guard.OnNoUnit == "skip", End: r.End(), Ask: r.MonitoringRules(),
		Env:    r.world(),
		Inject: r.rec.Inject, Clear: r.rec.Clear, Void: r.rec.Void, Before: r.steady, Event: r.Event,
	}
	t.Ready()
	return t
}

// world is the environment of faults in this run.
func (r *runner) world() chaos.Env {
	return chaos.Env{
		Units: r.sys.Units(), Links: r.sys.Links(), Zones: r.sys.Zones(), Find: r.sys.Find, MaxUnits: r.Scenario.Guard.MaxUnits, Now: r.Now, Run: r.o.ID,
		Ask: r.leads, Addresses: r.env.Units, Allow: r.ChaosRules(), Spare: r.CheckProtected, Agents: &r.insides,
		Burner: r.o.Burner, State: r.o.State,
	}
}

// steady checks the steady state before the first injection.
func (r *runner) steady(context.Context) error {
	for _, o := range r.Scenario.Steady {
		if o.Metric.OfSeries() {
			if err := r.seriesSteady(o); err != nil {
				return err
			}
			continue
		}
		holds, measured, n := judge.Steady(r.rec, o)
		switch {
		case n == 0:
			return r.lost(unsteady{fmt.Sprintf("`%s` had no request to be judged by", o.Text)})
		case !holds:
			return r.lost(unsteady{fmt.Sprintf("`%s`, measured %s over %d requests", o.Text, measuredText(o, measured), n)})
		}
	}
	if len(r.Scenario.Steady) > 0 {
		r.Event(result.Event{Event: "steady.held"})
	}
	return nil
}

// lost ends the run because the steady state does not hold.
func (r *runner) lost(why unsteady) error {
	r.Event(result.Event{Event: "steady.lost", Text: why.what})
	r.cancel(why)
	return why
}

// stillDown checks again, at the end, what one-shot faults took down.
func (r *runner) stillDown() {
	for _, rec := range r.records {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		if err := rec.StillDown(ctx); err != nil {
			rec.RevertErr = errors.Join(rec.RevertErr, err)
		}
		cancel()
	}
}

// seriesNow reports whether a condition on a series holds now; known is false without data.
func (r *runner) seriesNow(o slo.Objective, now time.Duration) (holds, known bool) {
	var v float64
	if o.Metric.Resource == "" {
		v, known = r.observed.Latest(o, now)
	} else {
		v, known = r.usage.Latest(o, now, r.Events)
	}
	return known && o.Holds(v), known
}

// seriesSteady checks a condition on a series over the baseline so far.
func (r *runner) seriesSteady(o slo.Objective) error {
	res := judge.JudgeSeries(o, "baseline", judge.Span{To: r.Now()}, r.usage.SoFar(r.Events()), r.observed.SoFar())
	switch {
	case res.Verdict == scenarios.Inconclusive:
		return r.lost(unsteady{fmt.Sprintf("`%s` could not be judged: %s", o.Text, res.Note)})
	case res.Verdict != scenarios.Pass:
		return r.lost(unsteady{fmt.Sprintf("`%s`, measured %s", o.Text, measuredText(o, float64(res.Measured)))})
	}
	return nil
}
