package run

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"brunt/chaos"
	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/run/guard"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// An Injection is the record of one fault without load.
type Injection struct {
	Run          string            `json:"run"`
	Fault        string            `json:"fault"`
	Kind         string            `json:"kind"`
	Target       string            `json:"target,omitempty"`
	Units        []string          `json:"units"`
	Via          string            `json:"via,omitempty"`
	Started      time.Time         `json:"started"`
	Injected     result.Num        `json:"injected"` // seconds since the start, as are all times
	Verified     result.Num        `json:"verified"`
	Cleared      result.Num        `json:"cleared"`
	Evidence     string            `json:"evidence,omitempty"`
	NotShown     string            `json:"not_shown,omitempty"` // the part of its effect that was not shown
	Gone         bool              `json:"gone"`
	GoneEvidence string            `json:"gone_evidence,omitempty"`
	Revert       string            `json:"revert"`
	Traffic      int64             `json:"traffic,omitempty"` // traffic that met the fault, if it can be counted
	TrafficUnit  string            `json:"traffic_unit,omitempty"`
	Verdict      scenarios.Verdict `json:"verdict"`
	Reason       string            `json:"reason"`
	ExitCode     int               `json:"exit_code"`
	Notes        []string          `json:"notes,omitempty"`
	Events       []result.Event    `json:"events"`

	Steps []result.FaultStep `json:"steps,omitempty"` // steps of a group
}

// Inject injects the only fault of the plan without load: it brings the target up or finds it running, injects the
// fault, verifies it, holds it, undoes it, and checks that it is gone. An error is a failure of brunt itself before
// anything was started.
func Inject(ctx context.Context, p *plan.Plan, o Options) (*Injection, error) {
	r := newRunner(p, o)
	ctx, r.session.cancel = context.WithCancelCause(ctx)
	defer r.session.cancel(nil)
	e := p.Faults[0]
	in := &Injection{
		Run: r.session.o.ID, Fault: e.Name, Kind: e.Kind, Units: []string{}, Started: r.session.began, Injected: result.NaN,
		Verified: result.NaN, Cleared: result.NaN,
		Revert: string(chaos.None), Verdict: scenarios.Pass, Reason: "It was in, and it is gone.",
	}
	if p.Scenario.Target.Kind() != "" {
		in.Target = p.TargetName()
	}
	if err := r.protection.Open(); err != nil {
		return nil, err
	}
	r.faults.awake = r.protection.NewAwake(r.faults.timeline.Load, r.session.cancel)
	err := r.inject(ctx, in)
	r.faults.awake.End()
	left, cerr := r.protection.Close()
	err = errors.Join(err, cerr)
	if left > 0 {
		why := leftBehind(left)
		in.worse(why.Verdict, why.Phrase(nil))
	}
	if err != nil {
		if in.worse(scenarios.Broken, err.Error()); in.Verdict != scenarios.Broken {
			r.log.Note("%v", err)
		}
	}
	in.ExitCode = in.Verdict.ExitCode()
	if i, ok := errors.AsType[Interrupt](context.Cause(ctx)); ok && in.Verdict == scenarios.Interrupted {
		in.ExitCode = i.Code
	}
	in.Notes, in.Events = slices.Concat(p.Notes, r.log.Noted()), r.log.Events()
	return in, nil
}

func (in *Injection) worse(to scenarios.Verdict, reason string) {
	if worst := scenarios.Worse(in.Verdict, to); worst != in.Verdict {
		in.Verdict, in.Reason = worst, syntax.Sentence(reason)
	}
}

// inject brings the target up, plays the fault and takes the target down.
func (r *runner) inject(ctx context.Context, in *Injection) (err error) {
	r.session.vars = make([]template.Value, len(r.plan.Scenario.Symbols.Vars()))
	r.session.sys = r.newTarget()
	mask := r.plan.Scenario.Secrets.Mask
	defer func() { err = errors.Join(err, r.takeDown(ctx)) }()
	if err := r.plan.TryFaults(false); err != nil {
		in.worse(scenarios.Invalid, mask(err.Error()))
		return nil
	}
	if err := r.session.sys.Up(ctx); err != nil {
		if errors.As(err, new(Interrupt)) {
			in.worse(scenarios.Interrupted, "interrupted before anything was injected")
		} else {
			in.worse(scenarios.Invalid, mask(err.Error()))
		}
		return nil
	}
	if err := r.faults.protect(ctx); err != nil {
		in.worse(scenarios.Invalid, mask(err.Error()))
		return nil
	}
	r.log.Event(result.Event{Event: "target.up", Text: r.session.sys.Describe()})
	single := &timeline.Timeline{
		Entries: r.plan.Faults, Journal: r.protection.Journal, Seed: r.plan.Scenario.Seed, Theirs: r.plan.Stack == nil,
		MaxEach: r.plan.Scenario.Guard.MaxEach.D(), SkipNone: r.plan.Scenario.Guard.OnNoUnit == "skip", Alone: true,
		End: math.MaxInt64, Ask: r.plan.MonitoringRules(), Env: r.faults.environment(),
		Phases: timeline.Unmeasured(r.log.Now), Awake: r.faults.awake.Check, Event: r.log.Event,
	}
	r.faults.timeline.Store(single)
	r.session.sys.Watch()
	faults, over := context.WithCancel(ctx)
	defer over()
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.faults.records = single.Play(faults)
	}()
	select {
	case <-r.session.o.Suspend:
		over()
		<-done
		r.session.cancel(errSuspend)
		r.session.o.Stop()
	case <-done:
	}
	r.faults.stillDown()
	for _, rec := range r.faults.records {
		in.take(rec, r.plan.Stack == nil, mask)
	}
	switch cause := context.Cause(ctx); {
	case errors.As(cause, new(Interrupt)):
		in.worse(scenarios.Interrupted, "interrupted; active faults are taken back")
	case errors.As(cause, new(guard.StoppedError)):
		in.worse(scenarios.Stopped, cause.Error())
	case errors.Is(cause, errSuspend), errors.As(cause, new(guard.TargetGoneError)):
		in.worse(scenarios.Invalid, cause.Error())
	}
	return nil
}

// take records the outcome of the fault.
func (in *Injection) take(c *chaos.Record, theirs bool, mask func(string) string) {
	if c.Units != nil {
		in.Units = c.Units
	}
	in.Via, in.Revert, in.Gone = c.Via, string(c.Revert), c.Gone
	if c.Revert == "" {
		in.Revert = string(chaos.None)
	}
	in.Evidence, in.NotShown, in.GoneEvidence = mask(c.Evidence), mask(c.NotShown), mask(c.GoneText)
	if c.N >= 0 {
		in.Injected, in.Cleared = result.Sec(c.Injected), result.Sec(c.Cleared)
		if c.VerifyErr == nil {
			in.Verified = result.Sec(c.Verified)
		}
	}
	for _, s := range c.Steps {
		in.Steps = append(in.Steps, faultStep(s, mask))
	}
	if c.Traffic != nil {
		in.Traffic, in.TrafficUnit = c.Traffic.N, c.Traffic.Unit
	}
	switch {
	case c.Skipped:
		in.worse(scenarios.Inconclusive, "it was skipped, as guard.on_no_unit says: "+mask(c.InjectErr.Error()))
	case c.OneShot:
		in.Reason = syntax.Sentence("it was done: " + in.GoneEvidence)
	}
	for _, why := range judgeRecord(c, "", theirs) {
		in.worse(why.Verdict, mask(why.Phrase(nil)))
	}
}
