package run

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/judge/series"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/run/guard"
	"brunt/scenarios/slo"
)

// faults are the faults of a run: their timeline, and its records.
type faults struct {
	*session
	protection *guard.Protection
	requests   *requester
	loads      *loads
	observers  *observers
	awake      *guard.Awake // from the begin of the timeline

	timeline atomic.Pointer[timeline.Timeline] // in progress; nil in a control run
	estimate []timeline.Estimated              // when each fault is due; empty in a control run
	records  []*chaos.Record
}

// protect prepares the agents, and the watchdog and the agents in the cluster of the units.
func (f *faults) protect(ctx context.Context) error {
	if err := f.protection.PrepareAgents(ctx, f.sys.Open); err != nil {
		return err
	}
	t := f.sys.Pods()
	if t == nil {
		return nil
	}
	if err := f.guard(ctx, t.Cluster, t.Place); err != nil {
		return err
	}
	return f.protection.StartAgents(ctx, t)
}

// guard starts the watchdog in a cluster, once.
func (f *faults) guard(ctx context.Context, c *kube.Cluster, at cluster.Place) error {
	return f.protection.GuardCluster(ctx, c, at, f.timeline.Load, f.cancel)
}

// newTimeline creates the timeline of this run.
func (f *faults) newTimeline() *timeline.Timeline {
	t := &timeline.Timeline{
		Entries: f.Faults, Journal: f.protection.Journal, Seed: f.Scenario.Seed, MaxEach: f.Scenario.Guard.MaxEach.D(),
		SkipNone: f.Scenario.Guard.OnNoUnit == "skip", End: f.End(), Ask: f.MonitoringRules(),
		Env:    f.environment(),
		Phases: timeline.Phases{Inject: f.inject, Clear: f.loads.rec.Clear, Void: f.loads.rec.Void}, Before: f.steady,
		Awake: f.awake.Check, Event: f.Event,
	}
	t.Ready()
	return t
}

// inject records that an occurrence begins.
func (f *faults) inject(fault, occurrence string) (n int, at time.Duration) {
	f.observers.usage.ReadTraffic(f.Now())
	return f.loads.rec.Inject(fault, occurrence)
}

// environment is the environment of faults in this run.
func (f *faults) environment() chaos.Env {
	return chaos.Env{
		Targets: chaos.Targets{
			Units: f.sys.Units(), Links: f.sys.Links(), Zones: f.sys.Zones(), Find: f.sys.Find,
			MaxUnits: f.Scenario.Guard.MaxUnits, AtPort: f.Scope.AtPort,
			Spare: f.sys.Guard().Begin, Present: f.present(),
		},
		Host: chaos.Host{
			Run: f.o.ID, Addresses: f.env.Units, Allow: f.ChaosRules(), Agents: &f.protection.Agents, Stress: f.o.Stress,
			State:   f.o.State,
			AskStep: f.requests.ask, Act: f.requests.act, Keep: f.requests.keep,
		},
		Occurrence: chaos.Occurrence{Now: f.Now},
	}
}

// present is what tells which pods of the target there are; nil: it has none.
func (f *faults) present() func(context.Context) (chaos.Present, error) {
	if t := f.sys.Pods(); t != nil {
		return t.Present
	}
	return nil
}

// steady checks the steady state before the first injection: the declared one, or else that the
// baseline does not fail.
func (f *faults) steady(context.Context) error {
	if len(f.Scenario.Steady) == 0 {
		return f.baseline()
	}
	for _, o := range f.Scenario.Steady {
		if o.Metric.OfSeries() {
			if err := f.seriesSteady(o); err != nil {
				return err
			}
			continue
		}
		holds, measured, n := judge.Steady(f.loads.rec, o)
		switch {
		case n == 0:
			return f.lost(unsteady{what: fmt.Sprintf("`%s` had no request to be judged by", o.Text)})
		case !holds:
			return f.lost(unsteady{
				what: fmt.Sprintf("`%s`, measured %s over %d requests", o.Text, measuredText(o, measured), n),
			})
		}
	}
	f.Event(result.Event{Event: "steady.held"})
	return nil
}

// baseline checks the baseline of a scenario that declares no steady state.
func (f *faults) baseline() error {
	b, failing := judge.Failing(f.loads.rec, f.Scenario.Judge.LimitOr(), f.Scenario.SLO, f.prompt())
	if !failing {
		return nil
	}
	if b.Hung > 0 {
		why := fmt.Sprintf("no request had ended before the first fault, and %d iterations were under way", b.Hung)
		return f.lost(unsteady{what: why, undeclared: true})
	}
	step := f.Series.Steps[b.Step].Name
	if step == "" { // of a script
		step = "a script"
	}
	why := fmt.Sprintf("%d of %d requests before the first fault were bad, %s, and the scenario allows %s; most of "+
		"them at %s",
		b.Bad, b.N, quantity.FormatShare(float64(b.Bad)/float64(b.N)), quantity.FormatShare(b.Allowed), step)
	if sample := f.loads.samples.Any(b.Step); sample != nil && sample.Message != "" {
		why += " (" + sample.Message + ")"
	}
	return f.lost(unsteady{what: why, undeclared: true})
}

// prompt reports whether every iteration begins with a request that is answered at once, and so no
// pause and no stream.
func (f *faults) prompt() bool {
	for i := range f.Loads {
		if len(f.Loads[i].Mix) == 0 { // a script, a log, or a file of targets
			return false
		}
		for _, flow := range f.Loads[i].Flows {
			if first := flow.Steps[0]; first.Call == nil || f.Protocols.Lasts(first.Call) {
				return false
			}
		}
	}
	return true
}

// lost ends the run because the steady state does not hold.
func (f *faults) lost(why unsteady) error {
	f.Event(result.Event{Event: "steady.lost", Text: why.what})
	f.cancel(why)
	return why
}

// stillDown checks again, at the end, what one-shot faults took down.
func (f *faults) stillDown() {
	for _, rec := range f.records {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		if err := rec.StillDown(ctx); err != nil {
			rec.RevertErr = chaos.JoinErrors(rec.RevertErr, err)
		}
		cancel()
	}
}

// seriesSteady checks a condition on a series over the baseline so far.
func (f *faults) seriesSteady(o slo.Objective) error {
	res := series.JudgeGauge(o, slo.Phase{Kind: slo.BaselinePhase}, requests.Span{To: f.Now()},
		f.observers.usage.SoFar(f.Events()), f.observers.observed.SoFar(), 0)
	switch {
	case res.Verdict == scenarios.Inconclusive:
		return f.lost(unsteady{what: fmt.Sprintf("`%s` could not be judged: %s", o.Text, res.Note)})
	case res.Verdict != scenarios.Pass:
		return f.lost(unsteady{what: fmt.Sprintf("`%s`, measured %s", o.Text, measuredText(o, float64(res.Measured)))})
	}
	return nil
}

// noteOwnDeaths notes which units of the target ended without a fault on them.
func (f *faults) noteOwnDeaths(end time.Duration) {
	first := map[string]int{}
	times := map[string]int{}
	var units []string
	events := f.Events()
	for i, e := range events {
		at := e.T.D()
		if e.Event != "unit.exit" || at > end || f.hit(e.Unit, at) {
			continue
		}
		if times[e.Unit]++; times[e.Unit] == 1 {
			first[e.Unit] = i
			units = append(units, e.Unit)
		}
	}
	for _, u := range units {
		e := events[first[u]]
		how := "at " + quantity.FormatInstant(e.T.D())
		if n := times[u]; n > 1 {
			how = fmt.Sprintf("%d times, first %s", n, how)
		}
		f.Note("%s ended by itself %s: %s", u, how, e.Text)
	}
}

// hit reports whether a fault was on the unit at the time.
func (f *faults) hit(unit string, at time.Duration) bool {
	const early = 100 * time.Millisecond // an exit may be reported before the injecting call returns
	return slices.ContainsFunc(f.records, func(c *chaos.Record) bool {
		return c.N >= 0 && slices.Contains(c.Units, unit) && at >= c.Injected-early && at <= c.Until
	})
}
