package run

import (
	"context"
	"fmt"
	"slices"
	"sync"
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
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/run/events"
	"brunt/scenarios/run/guard"
	"brunt/scenarios/slo"
)

// faults are the faults of a run: their timeline, and its records.
type faults struct {
	session    *session
	plan       *plan.Plan
	log        *events.Log
	protection *guard.Protection
	requests   *requester
	loads      *loads
	observers  *observers
	awake      *guard.Awake // from the begin of the timeline
	marks      *marks

	timeline   atomic.Pointer[timeline.Timeline] // in progress; nil in a control run
	mu         sync.Mutex
	conditions []*timeline.Timeline // of the conditions, from their injection on; guarded by mu
	estimate   []timeline.Estimated // times at which faults are due; empty in a control run
	records    []*chaos.Record
}

// timelines returns the timelines of the conditions, and of the faults if they are in progress.
func (f *faults) timelines() []*timeline.Timeline {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := slices.Clone(f.conditions)
	if t := f.timeline.Load(); t != nil {
		out = append(out, t)
	}
	return out
}

// addConditions adds a timeline of conditions.
func (f *faults) addConditions(t *timeline.Timeline) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conditions = append(f.conditions, t)
}

// planned returns the forecast without the faults that waited for an operator and were continued: they came at another
// time.
func (f *faults) planned() []timeline.Estimated {
	t, out := f.timeline.Load(), f.estimate
	if t == nil {
		return out
	}
	for _, w := range t.Waits() {
		if w.Continued > 0 {
			out = slices.DeleteFunc(slices.Clone(out), func(e timeline.Estimated) bool { return e.Entry.Name == w.Fault })
		}
	}
	return out
}

// protect prepares the agents, and the watchdog and the agents in the cluster of the units.
func (f *faults) protect(ctx context.Context) error {
	if err := f.protection.PrepareAgents(ctx, f.session.sys.Containers.Open); err != nil {
		return err
	}
	t := f.session.sys.Containers.Pods()
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
	return f.protection.GuardCluster(ctx, c, at, f.timeline.Load, f.session.cancel)
}

// newTimeline creates the timeline of this run.
func (f *faults) newTimeline() *timeline.Timeline {
	t := &timeline.Timeline{
		Entries: f.plan.Faults, Journal: f.protection.Journal, Seed: f.plan.Scenario.Seed,
		MaxEach: f.plan.Scenario.Guard.MaxEach.D(), SkipNone: f.plan.Scenario.Guard.OnNoUnit == "skip",
		End: f.plan.End(), Ask: f.plan.MonitoringRules(), Env: f.environment(), Theirs: f.plan.Stack == nil,
		Phases: timeline.Phases{Inject: f.inject, Clear: f.loads.rec.Clear, Void: f.loads.rec.Void}, Before: f.steady,
		Awake: f.awake.Check, Event: f.log.Event,
	}
	t.Ready()
	return t
}

// inject records that an occurrence begins.
func (f *faults) inject(fault, occurrence string) (n int, at time.Duration) {
	f.observers.usage.ReadTraffic(f.log.Now())
	return f.loads.rec.Inject(fault, occurrence)
}

// environment is the environment of faults in this run.
func (f *faults) environment() chaos.Env {
	sys, o := f.session.sys, &f.session.o
	return chaos.Env{
		Targets: chaos.Targets{
			Units: sys.Units(), Links: sys.Links(), Zones: sys.Containers.Zones(), Find: sys.Containers.Find,
			MaxUnits: f.plan.Scenario.Guard.MaxUnits, AtPort: f.plan.Scope.AtPort,
			Spare: sys.Containers.Guard().Begin, Present: f.present(),
		},
		Host: chaos.Host{
			Run: o.ID, Addresses: f.session.env.Units, Allow: f.plan.ChaosRules(), Agents: &f.protection.Agents,
			Stress: o.Stress, State: o.State,
			AskStep: f.requests.ask, Act: f.requests.act, Keep: f.requests.keep,
		},
		Occurrence: chaos.Occurrence{Now: f.log.Now},
	}
}

// present returns a function that lists the present pods of the target; nil if the target has no pods.
func (f *faults) present() func(context.Context) (chaos.Present, error) {
	if t := f.session.sys.Containers.Pods(); t != nil {
		return t.Present
	}
	return nil
}

// steady checks the steady state before the first injection. Without a declared one, it checks that the baseline does
// not fail.
func (f *faults) steady(context.Context) error {
	if len(f.plan.Scenario.Steady) == 0 {
		return f.baseline()
	}
	for _, o := range f.plan.Scenario.Steady {
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
				what: fmt.Sprintf("`%s`, measured %s over %d requests", o.Text, measuredText(o, measured), n), of: &o,
			})
		}
	}
	f.log.Event(result.Event{Event: "steady.held"})
	return nil
}

// baseline checks the baseline of a scenario that declares no steady state.
func (f *faults) baseline() error {
	b, failing := judge.Failing(f.loads.rec, f.plan.Scenario.Judge.LimitOr(), f.plan.Scenario.SLO, prompt(f.plan))
	if !failing {
		return nil
	}
	if b.Hung > 0 {
		why := fmt.Sprintf("no request had ended before the first fault, and %d iterations were under way", b.Hung)
		return f.lost(unsteady{what: why, undeclared: true})
	}
	step := f.plan.Series.Steps[b.Step].Name
	if step == "" { // a step of a script
		step = "a script"
	}
	why := failingText(b, step)
	if sample := f.loads.samples.Any(b.Step); sample != nil && sample.Message != "" {
		why += " (" + sample.Message + ")"
	}
	return f.lost(unsteady{what: why, undeclared: true})
}

// failingText says how many requests of a baseline were bad.
func failingText(b judge.FailingBaseline, step string) string {
	return fmt.Sprintf("%d of %d requests before the first fault were bad, %s, and the scenario allows %s; most of them at "+
		"%s",
		b.Bad, b.N, quantity.FormatShareBriefly(float64(b.Bad)/float64(b.N)), quantity.FormatShareBriefly(b.Allowed), step)
}

// prompt reports whether every iteration begins with a request that is answered at once: not with a pause or a
// stream.
func prompt(p *plan.Plan) bool {
	for i := range p.Loads {
		if len(p.Loads[i].Mix) == 0 { // a script, a log, or a file of targets
			return false
		}
		for _, flow := range p.Loads[i].Flows {
			if first := flow.Steps[0]; first.Call == nil || p.Protocols.Lasts(first.Call) {
				return false
			}
		}
	}
	return true
}

// lost ends the run because the steady state does not hold.
func (f *faults) lost(why unsteady) error {
	f.log.Event(result.Event{Event: "steady.lost", Text: why.what})
	f.session.cancel(why)
	return why
}

// stillDown checks at the end whether units that faults took down are still down. A unit that brunt did not start, and
// that is down, keeps its entries in the journal.
func (f *faults) stillDown() {
	for _, rec := range f.records {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		if err := rec.StillDown(ctx); err != nil {
			rec.RevertErr = chaos.JoinErrors(rec.RevertErr, err)
		}
		cancel()
		if rec.StaysDown {
			continue
		}
		for _, id := range rec.Left {
			if err := f.protection.Journal.Done(id, chaos.Reverted); err != nil {
				rec.RevertErr = chaos.JoinErrors(rec.RevertErr, err)
			}
		}
	}
}

// seriesSteady checks a condition on a series over the baseline so far.
func (f *faults) seriesSteady(o slo.Objective) error {
	res := series.JudgeGauge(o, slo.Phase{Kind: slo.BaselinePhase}, requests.Span{To: f.log.Now()},
		f.observers.usage.SoFar(f.log.Events()), f.observers.observed.SoFar(), 0)
	switch {
	case res.Verdict == scenarios.Inconclusive:
		res.Asked = &o
		return f.lost(unsteady{what: fmt.Sprintf("`%s` could not be judged: %s", o.Text, res.Because.Phrase(&res))})
	case res.Verdict != scenarios.Pass:
		return f.lost(unsteady{what: fmt.Sprintf("`%s`, measured %s", o.Text, measuredText(o, float64(res.Measured)))})
	}
	return nil
}
