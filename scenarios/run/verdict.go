package run

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"brunt/chaos"
	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/run/guard"
	"brunt/scenarios/run/outcome"
	"brunt/scenarios/slo"
)

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

// addReasons adds to the faults of a result what their courses say of the run: whether one was not verified, or could
// not be undone. refused says that no fault was to be injected.
func (r *runner) addReasons(of *outcome.Run, refused bool) {
	res := *of.Known // how units ended is asked beside all faults
	for i := range of.Faults {
		res.Faults = append(res.Faults, of.Faults[i].FaultRecord)
	}
	for i, c := range r.faults.records {
		if refused && c.N < 0 && c.RevertErr == nil {
			continue
		}
		for _, why := range judgeRecord(c, c.Name, r.plan.Stack == nil) {
			if why.OfSlowStart() && r.waitedFor(c) {
				why.Verdict = scenarios.Inconclusive
			}
			down, ok := errors.AsType[chaos.NotRunningError](c.InjectErr)
			if ok && why.Kind == result.InjectionFailed {
				why.Text += howEnded(&res, down.Unit)
			}
			of.Faults[i].Reasons = append(of.Faults[i].Reasons, why)
		}
	}
}

// howEnded says how the unit of a fault that was not injected had ended by itself, and what to do. It is empty if the
// unit had not.
func howEnded(res *result.Result, unit string) string {
	for i := range slices.Backward(res.Events) {
		e := &res.Events[i]
		if e.Unit != unit {
			continue
		}
		if ended, itself := res.OwnEnd(e); ended && itself {
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

// addCause says why the run ended early, if it did. caller returns an interrupt that came after the run ended for
// another reason: the interrupt takes precedence.
func addCause(of *outcome.Run, cause error, caller func() error) {
	var (
		in   Interrupt
		stop stopped
		un   unsteady
	)
	add := func(to scenarios.Verdict, kind result.ReasonKind, text string) {
		of.Ended = append(of.Ended, result.Reason{Kind: kind, Verdict: to, Text: text})
	}
	if errors.As(cause, &in) || caller != nil && errors.As(caller(), &in) {
		of.Ended = append(of.Ended, result.Reason{
			Kind: result.Interrupted, Verdict: scenarios.Interrupted, Text: in.By,
			After: result.Num(math.Round(float64(of.Known.Duration))),
		})
	}
	of.Code = in.Code
	gone, lost := errors.AsType[guard.TargetGoneError](cause)
	of.Gone = gone.How
	switch {
	case errors.As(cause, &stop):
		add(scenarios.Stopped, result.StopCondition, stop.condition)
	case errors.As(cause, new(guard.StoppedError)):
		add(scenarios.Stopped, result.StoppedInside, cause.Error())
	case errors.As(cause, &un):
		of.Refused = &outcome.Refusal{What: un.what, Undeclared: un.undeclared}
	case errors.Is(cause, errUsedUp):
		add(scenarios.Inconclusive, result.DataUsedUp, cause.Error())
	case errors.Is(cause, errSuspend):
		add(scenarios.Invalid, result.Suspended, cause.Error())
	case errors.Is(cause, errNoLoad):
		add(scenarios.Invalid, result.NoWorker, cause.Error())
	case errors.Is(cause, errLost):
		add(scenarios.Invalid, result.WorkerLost, cause.Error())
	case lost:
		add(scenarios.Invalid, result.TargetGone, cause.Error())
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

// measuredText formats a measured value for people.
func measuredText(o slo.Objective, v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "beyond measure"
	}
	return o.Metric.FormatValue(v)
}
