package run

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/run/guard"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

// decide sets verdict, exit code and reason by their precedence. Unfit says why no figure of the run
// can be trusted. A late generator is no such reason: each objective is judged without its lag as well.
func (r *runner) decide(
	ctx context.Context, res *result.Result, objectives []slo.Objective, found []judge.FaultFinding, unfit []string,
) {
	res.Verdict = scenarios.Pass
	good := true
	if len(res.Objectives) == 0 {
		res.Verdict, res.Reason, good = requests.Unasked(res.Cells, res.Errors, res.AllLedgers())
		if res.Verdict == scenarios.Invalid {
			res.Why = result.Late
		}
	}
	v, cause := verdict{res}, context.Cause(ctx)
	code := v.decideCause(cause, r.caller)
	if r.broken != nil {
		v.worse(scenarios.Broken, r.broken.Error())
	}
	for _, why := range unfit {
		v.worse(scenarios.Invalid, why)
	}
	v.decideFaults(cause, r.faults.records, r.Smoke) // first, because a fault may be the reason for an objective
	if gone, ok := errors.AsType[guard.TargetGoneError](cause); ok {
		v.invalidate(gone.How, func(result.ObjectiveResult) bool { return true })
	}
	v.invalidateVoid(r.faults.records)
	if un, refused := errors.AsType[unsteady](cause); !refused || !un.undeclared {
		for _, why := range r.loads.scripts.Failures() {
			v.worse(scenarios.Fail, why)
		}
		if len(res.Objectives) > 0 && !refused {
			v.decideObjectives(objectives)
		}
	}
	v.decideImpacts(found)
	res.ExitCode = res.Verdict.ExitCode()
	switch {
	case res.Verdict == scenarios.Interrupted:
		res.ExitCode = code
	case res.Verdict == scenarios.None && good:
		res.ExitCode = scenarios.ExitPass
	}
}

// verdict changes the verdict of a result to a worse one.
type verdict struct{ *result.Result }

func (v verdict) worse(to scenarios.Verdict, reason string) { v.worseBy(to, reason, "") }

// worseBy is worse with the part of brunt's own in the reason.
func (v verdict) worseBy(to scenarios.Verdict, reason string, why result.Why) {
	if worsen(&v.Verdict, &v.Reason, to, reason, v.names()...) {
		v.Why = why
	}
}

// names are those of faults, of their steps and of loads: what reasons begin with.
func (v verdict) names() []string {
	var out []string
	for i := range v.Faults {
		out = append(out, v.Faults[i].Name)
		for j := range v.Faults[i].Steps {
			out = append(out, v.Faults[i].Steps[j].Name)
		}
	}
	for i := range v.Loads {
		out = append(out, v.Loads[i].Name)
	}
	return out
}

// worsen sets a verdict and its reason where they are worse than the present ones, and reports whether they are.
func worsen(was *scenarios.Verdict, why *string, to scenarios.Verdict, reason string, names ...string) bool {
	w := scenarios.Worse(*was, to)
	if w == *was {
		return false
	}
	*was, *why = w, syntax.Sentence(reason, names...)
	return true
}

// notReverted records in the result that a fault could not be undone.
func notReverted(res *result.Result, why string) {
	verdict{res}.worse(scenarios.NotReverted, why)
	res.ExitCode = res.Verdict.ExitCode()
}

// decideFaults judges the faults themselves: a fault that was not verified, affected no traffic or could
// not be undone. Where the steady state did not hold, cause is the reason that none was injected.
func (v verdict) decideFaults(cause error, records []*chaos.Record, smoke bool) {
	refused := errors.As(cause, new(unsteady))
	for _, c := range records {
		if !refused || c.N >= 0 || c.RevertErr != nil {
			judgeRecord(c, c.Name, v.worse)
		}
	}
	for _, f := range v.Faults {
		if f.Injected.Known() && f.Traffic == 0 && !smoke {
			v.worse(scenarios.Invalid, fmt.Sprintf("%s affected no traffic, so its effect is unknown", f.Name))
		}
	}
}

// judgeRecord judges one fault itself: not verified, or not undone. Name is empty where the run has
// only one fault.
func judgeRecord(c *chaos.Record, name string, worse func(to scenarios.Verdict, reason string)) {
	subject, of := name, name+": "
	if name == "" {
		subject, of = "it", ""
	}
	switch {
	case c.RevertErr != nil:
		worse(scenarios.NotReverted, fmt.Sprintf("%s could not be taken back: %v", subject, c.RevertErr))
	case c.GoneErr != nil:
		worse(scenarios.Invalid, fmt.Sprintf("%s was taken back, and that it is over is unverified: %v", subject, c.GoneErr))
	case c.OneShot && c.N >= 0 && !c.Gone && len(c.Steps) == 0:
		worse(scenarios.Invalid, of+stillDown(c))
	}
	for _, s := range c.Steps {
		if s.OneShot && s.InjectErr == nil && !s.Gone {
			worse(scenarios.Invalid, s.Name+": "+stillDown(s))
		}
	}
	switch {
	case c.Void != nil:
		worse(scenarios.Invalid, whyVoid(c, subject, of))
	case c.Skipped:
	case c.InjectErr != nil:
		worse(scenarios.Invalid, fmt.Sprintf("%s was not injected: %v", subject, c.InjectErr))
	case isPartial(c.VerifyErr):
		worse(scenarios.Invalid, fmt.Sprintf("%s was %v", subject, c.VerifyErr))
	case c.VerifyErr != nil:
		worse(scenarios.Invalid, fmt.Sprintf("%s was injected, but had no effect: %v", subject, c.VerifyErr))
	}
}

// whyVoid says why a fault did not stay for its time.
func whyVoid(c *chaos.Record, subject, of string) string {
	if _, ok := errors.AsType[chaos.VoidError](c.Void); ok {
		return fmt.Sprintf("%s was %v", subject, c.Void)
	}
	return of + c.Void.Error()
}

// isPartial reports whether a group was injected in part.
func isPartial(err error) bool {
	_, ok := errors.AsType[chaos.PartialError](err)
	return ok
}

// stillDown says that the unit of a one-shot did not come back in time.
func stillDown(c *chaos.Record) string {
	why := fmt.Sprintf("its unit was not healthy again within %s", quantity.FormatDuration(c.Within))
	if c.GoneText != "" {
		why += ": " + c.GoneText
	}
	return why
}

// decideImpacts fails a run whose steady state did not hold before a judged fault, or in which a
// required impact is missing.
func (v verdict) decideImpacts(found []judge.FaultFinding) {
	for i := range found {
		if why := found[i].Unsteady; why != "" {
			v.worse(scenarios.Fail, "the steady state did not hold: "+why)
		}
	}
	for i := range found {
		if f := &found[i]; f.Required != "" {
			v.worse(f.Required, f.RequiredNote)
		}
	}
}

// decideCause judges why the run ended early, if it did, and returns the exit code of an interrupt. Caller says whether
// one came after the run ended for another reason: it takes precedence over that.
func (v verdict) decideCause(cause error, caller func() error) int {
	var (
		in   Interrupt
		stop stopped
		un   unsteady
	)
	if errors.As(cause, &in) || caller != nil && errors.As(caller(), &in) {
		v.worse(scenarios.Interrupted, in.how()+" after "+quantity.FormatSeconds(math.Round(float64(v.Duration))))
	}
	switch {
	case errors.As(cause, &stop):
		v.worse(scenarios.Stopped, stop.Error())
	case errors.As(cause, new(guard.StoppedError)):
		v.worse(scenarios.Stopped, cause.Error())
	case errors.As(cause, &un):
		v.worse(un.verdict(), un.Error()+"; no fault was injected"+un.mend())
	case errors.Is(cause, errUsedUp), errors.Is(cause, errSuspend), errors.Is(cause, errNoLoad), errors.Is(cause, errLost),
		errors.As(cause, new(guard.TargetGoneError)):
		v.worse(scenarios.Invalid, cause.Error())
	}
	return in.Code
}

// invalidate takes objectives out of the verdict, because brunt itself made them meaningless.
func (v verdict) invalidate(why string, which func(result.ObjectiveResult) bool) {
	for i := range v.Objectives {
		if o := &v.Objectives[i]; which(*o) {
			o.Verdict, o.Note, o.Why = scenarios.Invalid, why, ""
		}
	}
}

// invalidateVoid takes those objectives out of the verdict that are about a fault that was over before its time.
func (v verdict) invalidateVoid(records []*chaos.Record) {
	for _, c := range records {
		if c.Void == nil {
			continue
		}
		v.invalidate(whyVoid(c, c.Name, ""), func(o result.ObjectiveResult) bool {
			of := scenarios.PhaseOf(o.Phase)
			return of == c.Name || of == c.Fault || of == scenarios.Incident
		})
	}
}

func (v verdict) decideObjectives(objectives []slo.Objective) {
	count := map[scenarios.Verdict]int{}
	res := v.Result
	for _, o := range res.Objectives {
		count[o.Verdict]++
	}
	if v.Verdict == scenarios.Pass {
		res.Reason = fmt.Sprintf("All %d objectives held.", len(res.Objectives))
		if len(res.Objectives) == 1 {
			res.Reason = "The objective held."
		}
	}
	words := map[scenarios.Verdict]string{
		scenarios.Fail: "failed", scenarios.Inconclusive: "could not be decided", scenarios.Invalid: "could not be judged",
	}
	untold := "" // those of weaker verdicts, which the reason of the strongest must not hide
	for _, to := range []scenarios.Verdict{scenarios.Inconclusive, scenarios.Invalid, scenarios.Fail} {
		i := tellingObjective(res.Objectives, objectives, to)
		if i < 0 {
			continue
		}
		head := fmt.Sprintf("%d of %d objectives %s%s: ", count[to], len(res.Objectives), words[to], untold)
		if len(res.Objectives) == 1 {
			head = "The objective " + words[to] + ": "
		}
		untold = fmt.Sprintf(", %d %s", count[to], words[to]) + untold
		what := head + sayObjective(res.Objectives[i], objectives[i])
		why := res.Objectives[i].Why
		if to == scenarios.Invalid && why == result.Late && len(res.Generator.Limits) > 0 {
			what += ". " + res.Generator.Limits[0]
		}
		v.worseBy(to, what, why)
	}
}

// noteShort notes of the objectives in a fault how long it is judged, where it was over sooner: a unit
// that is back at once still has a phase of some seconds.
func noteShort(res *result.Result, objectives []slo.Objective) {
	for i := range res.Objectives {
		o := &res.Objectives[i]
		for j := range res.Faults {
			f := &res.Faults[j]
			if objectives[i].Phase == "" || f.Name != o.Phase && scenarios.FaultOf(f.Name) != o.Phase || !f.Injected.Known() ||
				!(f.Cleared < f.Until) {
				continue
			}
			span := func(to result.Num) string {
				return quantity.FormatDuration((to - f.Injected).D().Round(time.Millisecond))
			}
			note := fmt.Sprintf("%s was over after %s, and is judged for %s", f.Name, span(f.Cleared), span(f.Until))
			o.Note = strings.TrimPrefix(o.Note+"; "+note, "; ")
			break
		}
	}
}

// tellingObjective is the first objective of a verdict; an objective on a fault comes before one on
// the whole run, because it explains more.
func tellingObjective(results []result.ObjectiveResult, objectives []slo.Objective, of scenarios.Verdict) int {
	found := -1
	for i := range results {
		if results[i].Verdict != of {
			continue
		}
		if p := objectives[i].PhaseOrRun(); p != "run" && p != "baseline" {
			return i
		}
		if found < 0 {
			found = i
		}
	}
	return found
}

// sayObjective describes an objective and its measured value.
func sayObjective(o result.ObjectiveResult, def slo.Objective) string {
	s := o.Text
	switch {
	case o.Measured.Known():
		s += ", measured " + def.Metric.FormatValue(float64(o.Measured))
	case o.Infinite && def.Metric.Latency():
		s += ", and more requests failed than it allows"
	}
	if o.Note != "" {
		s += " (" + o.Note + ")"
	}
	return s
}

// measuredText formats a measured value for people.
func measuredText(o slo.Objective, v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "beyond measure"
	}
	return o.Metric.FormatValue(v)
}
