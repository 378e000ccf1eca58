package run

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"brunt/chaos"
	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/run/guard"
	"brunt/scenarios/slo"
)

// decide sets verdict, exit code and reasons by their precedence. unfit has the reasons why the figures of the run
// can't be trusted. A late generator is no such reason, because each objective is judged without its lag as well.
func (r *runner) decide(
	ctx context.Context, res *result.Result, objectives []slo.Objective, f *judge.Findings, unfit []result.Reason,
) {
	good := true
	if len(res.Objectives) == 0 {
		var why result.Reason
		why, good = requests.Unasked(res, f.Own)
		res.Because(why)
	}
	res.Events = r.log.Events() // so far: how units ended
	v, cause := verdict{res}, context.Cause(ctx)
	code := v.decideCause(cause, r.caller, &f.Steady)
	if r.broken != nil {
		res.Broke(result.BruntFailed, r.broken)
		r.log.Note("%v", r.broken)
	}
	for _, why := range unfit {
		v.res.Because(why)
	}
	v.decideFaults(cause, r.faults.records, r.plan, r.waitedFor) // first: a fault may be the reason for an objective
	if gone, ok := errors.AsType[guard.TargetGoneError](cause); ok {
		why := result.Notes{{Kind: result.FaultVoid, Text: gone.How}}
		v.invalidate(why, func(*result.ObjectiveResult) bool { return true })
	}
	v.doubtCut(r.faults.records)
	v.invalidateVoid(r.faults.records)
	if un, refused := errors.AsType[unsteady](cause); !refused || !un.undeclared {
		for _, why := range r.loads.scripts.Failures() {
			v.res.Because(result.Reason{Kind: result.ScriptFailed, Verdict: scenarios.Fail, Text: why})
		}
		if len(res.Objectives) > 0 && !refused {
			v.decideObjectives(objectives)
		}
	} else {
		v.decideBaseline()
	}
	v.decideImpacts(f.Faults)
	if res.Verdict == "" {
		v.res.Because(result.Reason{Kind: result.Held, Verdict: scenarios.Pass})
	}
	res.ExitCode = res.Verdict.ExitCode()
	switch {
	case res.Verdict == scenarios.Interrupted:
		res.ExitCode = code
	case res.Verdict == scenarios.None && good:
		res.ExitCode = scenarios.ExitPass
	}
}

// verdict changes the verdict of a result to a worse one.
type verdict struct{ res *result.Result }

// because adds a reason whose text is an error.
func (v verdict) because(to scenarios.Verdict, kind result.ReasonKind, err error) {
	v.res.Because(result.Reason{Kind: kind, Verdict: to, Text: err.Error()})
}

// brokeAfter records in the result an error of brunt after the load. A note tells it if another verdict has precedence.
func brokeAfter(res *result.Result, err error) {
	if res.Broke(result.FailedAfter, err); res.Verdict != scenarios.Broken {
		res.Notes = append(res.Notes, err.Error())
	}
}

// notReverted records in the result that entries of the journal could not be undone.
func notReverted(res *result.Result, left int) {
	res.Because(leftBehind(left))
	res.ExitCode = res.Verdict.ExitCode()
}

// leftBehind returns the reason of a run that left entries of its journal open.
func leftBehind(entries int) result.Reason {
	return result.Reason{Kind: result.LeftBehind, Verdict: scenarios.NotReverted, Left: entries}
}

// decideFaults judges the faults themselves: whether one was not verified, affected no traffic or could not be
// undone. If the steady state did not hold, cause is the reason why no fault was injected. waited reports whether a
// lack of processors may explain that a unit was not well again in time.
func (v verdict) decideFaults(
	cause error, records []*chaos.Record, p *plan.Plan, waited func(*chaos.Record) bool,
) {
	refused := errors.As(cause, new(unsteady))
	for _, c := range records {
		if !refused || c.N >= 0 || c.RevertErr != nil {
			for _, why := range judgeRecord(c, c.Name, p.Stack == nil) {
				if why.OfSlowStart() && waited(c) {
					why.Verdict = scenarios.Inconclusive
				}
				down, ok := errors.AsType[chaos.NotRunningError](c.InjectErr)
				if ok && why.Kind == result.InjectionFailed {
					why.Text += v.howEnded(down.Unit)
				}
				v.res.Because(why)
			}
		}
	}
	for _, f := range v.res.Faults {
		if f.Injected.Known() && f.Traffic == 0 && !p.Smoke {
			v.res.Because(result.Reason{
				Kind: result.NoTraffic, Verdict: scenarios.Inconclusive, Fault: f.Name,
				After: max(0, f.Injected-v.res.Duration),
			})
		}
	}
}

// howEnded says how the unit of a fault that was not injected had ended by itself, and what to do. It is empty if the
// unit had not.
func (v verdict) howEnded(unit string) string {
	for i := range slices.Backward(v.res.Events) {
		e := &v.res.Events[i]
		if e.Unit != unit {
			continue
		}
		if ended, itself := v.res.OwnEnd(e); ended && itself {
			return fmt.Sprintf(": it had ended by itself at %s (%s); look at its output", quantity.FormatInstant(e.T.D()),
				e.Text)
		}
	}
	return ""
}

// waitedFor reports whether a lack of processors may explain that the units of a fault were not well again in time.
func (r *runner) waitedFor(c *chaos.Record) bool {
	if r.observers == nil || r.session.sys == nil {
		return false
	}
	waits := r.observers.usage.Waits()
	return explainsDown(c, spansOf(r.observers.health.Held()), func(in requests.Span) time.Duration {
		return unitWaits(c, waits, in)
	})
}

// explainsDown reports whether the units of a fault waited for a processor for at least half of the time that they had
// to be well again in, while other programs held the processors for half of it. held has the seconds in which they did,
// and waits returns how long tasks of the units waited in a span.
func explainsDown(c *chaos.Record, held []requests.Span, waits func(requests.Span) time.Duration) bool {
	in := requests.Span{From: c.Cleared, To: c.Over}
	for _, one := range append([]*chaos.Record{c}, c.Steps...) {
		if one.OneShot {
			in.From = min(in.From, c.Injected)
			in.To = max(in.To, one.Injected+one.Within)
		}
	}
	return in.To > in.From && 2*in.Covered(held) >= in.Length() && 2*waits(in) >= in.Length()
}

// judgeRecord judges one fault itself: whether it was verified and undone. name is empty if the run has only one
// fault. theirs says that brunt did not start the units. That a unit was not ready in time is a finding about the
// target, unless brunt has not seen that a one-shot took it down. brunt takes down the units that it started, and
// leaves others as they are.
func judgeRecord(c *chaos.Record, name string, theirs bool) (out []result.Reason) {
	because := func(to scenarios.Verdict, kind result.ReasonKind, err error) {
		out = append(out, result.Reason{Kind: kind, Verdict: to, Fault: name, Text: err.Error()})
	}
	switch {
	case c.RevertErr != nil:
		because(scenarios.NotReverted, result.NotUndone, c.RevertErr)
	case c.StaysDown && theirs:
		because(scenarios.NotReverted, result.StaysDown, c.Down)
	case c.GoneErr != nil:
		because(scenarios.Invalid, result.GoneUnverified, c.GoneErr)
	case len(c.Steps) > 0 || c.N < 0:
	case c.OneShot && !c.Gone && c.VerifyErr == nil:
		out = append(out, stillDown(c, name))
	case c.Down != nil && !c.OneShot:
		because(scenarios.Fail, result.NotReadyAgain, c.Down)
	}
	for _, s := range c.Steps {
		switch {
		case s.OneShot && s.InjectErr == nil && s.VerifyErr == nil && !s.Gone:
			out = append(out, stillDown(s, s.Name))
		case s.Down != nil && !s.OneShot:
			out = append(out, result.Reason{
				Kind: result.NotReadyAgain, Verdict: scenarios.Fail, Fault: s.Name, Text: s.Down.Error(),
			})
		}
	}
	switch {
	case c.Void != nil:
		out = append(out, whyVoid(c, name))
	case c.Skipped:
		if absent, ok := errors.AsType[timeline.AbsentError](c.InjectErr); ok {
			out = append(out, result.Reason{
				Kind: result.OperatorAbsent, Verdict: scenarios.Inconclusive, Fault: name, After: result.Sec(absent.Waited),
			})
		}
	case c.InjectErr != nil:
		because(scenarios.Invalid, result.InjectionFailed, c.InjectErr)
	case c.VerifyErr != nil:
		if part, ok := errors.AsType[chaos.PartialError](c.VerifyErr); ok {
			because(scenarios.Invalid, result.PartlyInjected, part.Err)
		} else {
			because(scenarios.Invalid, result.NoEffect, c.VerifyErr)
		}
	}
	return out
}

// whyVoid returns the reason why a fault did not last for its time.
func whyVoid(c *chaos.Record, name string) result.Reason {
	if void, ok := errors.AsType[chaos.VoidError](c.Void); ok {
		early, ended := errors.AsType[chaos.EndedEarlyError](void.Why)
		r := result.Reason{
			Kind: result.OverEarly, Verdict: scenarios.Invalid, Fault: name,
			After: result.Sec(void.After), Text: void.Why.Error(),
			Undone: ended && early.By != chaos.OutOfMemory || errors.Is(void.Why, chaos.ErrRestarted),
		}
		if early.By == chaos.OutOfMemory {
			r.Text += "; let it take fewer bytes"
		}
		return r
	}
	return result.Reason{Kind: result.Void, Verdict: scenarios.Invalid, Fault: name, Text: c.Void.Error()}
}

// isPartial reports whether a group was injected in part.
func isPartial(err error) bool {
	_, ok := errors.AsType[chaos.PartialError](err)
	return ok
}

// stillDown returns the reason that the unit of a one-shot did not come back in time.
func stillDown(c *chaos.Record, name string) result.Reason {
	return result.Reason{
		Kind: result.StillDown, Verdict: scenarios.Fail, Fault: name, After: result.Sec(c.Within), Text: c.GoneText,
	}
}

// decideImpacts adds the reasons of faults: the steady state did not hold before a judged fault, or a required impact
// is missing.
func (v verdict) decideImpacts(found []judge.FaultFinding) {
	for i := range found {
		if f := &found[i]; f.Unsteady.Kind != "" {
			v.res.Because(f.Unsteady)
		}
	}
	for i := range found {
		if f := &found[i]; f.Required.Kind != "" {
			v.res.Because(f.Required)
		}
	}
}

// decideCause judges why the run ended early, if it did, and returns the exit code of an interrupt. caller returns an
// interrupt that came after the run ended for another reason: the interrupt takes precedence. steady is the judgement
// of the steady state, if that ended the run.
func (v verdict) decideCause(cause error, caller func() error, steady *result.ObjectiveResult) int {
	var (
		in   Interrupt
		stop stopped
		un   unsteady
	)
	if errors.As(cause, &in) || caller != nil && errors.As(caller(), &in) {
		v.res.Because(result.Reason{
			Kind: result.Interrupted, Verdict: scenarios.Interrupted, Text: in.By,
			After: result.Num(math.Round(float64(v.res.Duration))),
		})
	}
	switch {
	case errors.As(cause, &stop):
		v.res.Because(result.Reason{Kind: result.StopCondition, Verdict: scenarios.Stopped, Text: stop.condition})
	case errors.As(cause, new(guard.StoppedError)):
		v.because(scenarios.Stopped, result.StoppedInside, cause)
	case errors.As(cause, &un):
		v.res.Because(un.reason(steady))
	case errors.Is(cause, errUsedUp):
		v.because(scenarios.Inconclusive, result.DataUsedUp, cause)
	case errors.Is(cause, errSuspend):
		v.because(scenarios.Invalid, result.Suspended, cause)
	case errors.Is(cause, errNoLoad):
		v.because(scenarios.Invalid, result.NoWorker, cause)
	case errors.Is(cause, errLost):
		v.because(scenarios.Invalid, result.WorkerLost, cause)
	case errors.As(cause, new(guard.TargetGoneError)):
		v.because(scenarios.Invalid, result.TargetGone, cause)
	}
	return in.Code
}

// invalidate takes objectives out of the verdict, because brunt itself made them meaningless.
func (v verdict) invalidate(why result.Notes, which func(*result.ObjectiveResult) bool) {
	for i := range v.res.Objectives {
		if o := &v.res.Objectives[i]; which(o) {
			o.Verdict, o.Because, o.Why = scenarios.Invalid, why, ""
			o.Say()
		}
	}
}

// invalidateVoid takes objectives on a fault that was over before its time out of the verdict. A failure stands if
// another occurrence decided it, or if no incident belongs to that fault.
func (v verdict) invalidateVoid(records []*chaos.Record) {
	for _, c := range records {
		if c.Void == nil {
			continue
		}
		why := whyVoid(c, c.Name)
		void := slo.ParseOccurrence(c.Name)
		harmed := slices.ContainsFunc(v.res.Incidents, func(in result.Incident) bool {
			return slices.Contains(in.Faults, c.Name)
		})
		v.invalidate(why.Notes(), func(o *result.ObjectiveResult) bool {
			if o.Phase.Of(slo.FaultPhase).Kind == slo.IncidentPhase {
				return harmed || o.Verdict != scenarios.Fail
			}
			return isAbout(o, void)
		})
	}
}

// isAbout reports whether the verdict of an objective is about an occurrence of a fault: a failure is about the one
// that decided it, every other verdict about all that the objective asks about.
func isAbout(o *result.ObjectiveResult, occurrence slo.Phase) bool {
	of := o.Phase.Of(slo.FaultPhase)
	if asked, ok := o.Asks(); ok && o.Verdict != scenarios.Fail {
		of = asked.PhaseOrRun().Of(slo.FaultPhase)
	}
	return of.Includes(occurrence)
}

// doubtCut adds a note to objectives on a fault that was not on a unit for its time, because another fault of the run
// ended that unit. If the fault was in for under half of its time, none of these objectives holds for certain.
func (v verdict) doubtCut(records []*chaos.Record) {
	for _, c := range records {
		why := cutNotes(c)
		if why == nil {
			continue
		}
		brief := 2*(c.Cleared-c.Injected) < c.Cuts[0].Of
		doubt := func(of *scenarios.Verdict) (doubted bool) {
			if doubted = brief && *of == scenarios.Pass; doubted {
				*of = scenarios.Inconclusive
			}
			return doubted
		}
		for i := range v.res.Objectives {
			o := &v.res.Objectives[i]
			for j := range o.Drills {
				if o.Drills[j].Fault == c.Name {
					doubt(&o.Drills[j].Verdict)
				}
			}
			switch {
			case !isAbout(o, slo.ParseOccurrence(c.Name)):
				continue
			case doubt(&o.Verdict):
				o.Because = why.And(o.Because...)
			default:
				o.Because = o.Because.And(why...)
			}
			o.Say()
		}
	}
}

// cutNotes says for how long a fault was on units that other faults of the run ended; nil without such units.
func cutNotes(c *chaos.Record) (out result.Notes) {
	for _, cut := range c.Cuts {
		out = append(out, result.Note{
			Kind: result.FaultCut, Of: c.Name, For: result.Sec(cut.In), Within: result.Sec(cut.Of), Text: cut.Unit,
			Faults: []string{cut.By},
		})
	}
	return out
}

// decideObjectives gives a reason for each verdict of objectives, in the order of their precedence.
func (v verdict) decideObjectives(objectives []slo.Objective) {
	for _, to := range []scenarios.Verdict{scenarios.Inconclusive, scenarios.Invalid, scenarios.Fail} {
		if i := tellingObjective(v.res.Objectives, objectives, to); i >= 0 {
			v.res.Because(result.Reason{Kind: result.NotHeld, Verdict: to, Objective: i + 1, Why: v.res.Objectives[i].Why})
		}
	}
}

// decideBaseline fails a run whose baseline failed if an objective asks about the baseline: that one has its answer.
func (v verdict) decideBaseline() {
	for i := range v.res.Objectives {
		if o := &v.res.Objectives[i]; o.Verdict == scenarios.Fail && o.Phase.Kind == slo.BaselinePhase {
			v.res.Because(result.Reason{Kind: result.NotHeld, Verdict: scenarios.Fail, Objective: i + 1})
		}
	}
}

// noteShort adds a note to objectives in a fault that was over sooner than its phase: the phase of a unit that is
// back at once still lasts some seconds, and all of it is judged.
func noteShort(res *result.Result, objectives []slo.Objective) {
	for i := range res.Objectives {
		o := &res.Objectives[i]
		for j := range res.Faults {
			f := &res.Faults[j]
			if objectives[i].Phase == (slo.Phase{}) || !o.Phase.Includes(f.Phase()) || !f.Injected.Known() ||
				!(f.Cleared < f.Until) {
				continue
			}
			o.Because = o.Because.And(result.Note{
				Kind: result.FaultBrief, Of: f.Name, For: f.Cleared - f.Injected, Within: f.Until - f.Injected,
			})
			o.Say()
			break
		}
	}
}

// tellingObjective returns the index of the first objective with a verdict. An objective on a fault comes before one
// on the whole run, because it explains more.
func tellingObjective(results []result.ObjectiveResult, objectives []slo.Objective, of scenarios.Verdict) int {
	found := -1
	for i := range results {
		if results[i].Verdict != of {
			continue
		}
		if !objectives[i].PhaseOrRun().OfRun() {
			return i
		}
		if found < 0 {
			found = i
		}
	}
	return found
}

// measuredText formats a measured value for people.
func measuredText(o slo.Objective, v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "beyond measure"
	}
	return o.Metric.FormatValue(v)
}
