package outcome

import (
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// decide sets verdict, exit code and reasons by their precedence. A late generator is no reason that the figures of the
// run can't be trusted, because each objective is judged without its lag as well.
func (r *Run) decide(res *result.Result, f *judge.Findings) {
	good := true
	if len(res.Objectives) == 0 {
		var why result.Reason
		why, good = requests.Unasked(res, f.Own)
		res.Because(why)
	}
	v := verdict{res}
	for _, why := range r.reasons(&f.Steady) {
		v.res.Because(why)
	}
	v.decideFaults(r.Faults, r.Smoke) // first: a fault may be the reason for an objective
	if r.Gone != "" {
		why := result.Notes{{Kind: result.FaultVoid, Text: r.Gone}}
		v.invalidate(why, func(*result.ObjectiveResult) bool { return true })
	}
	v.doubtCut(r.Faults)
	v.invalidateVoid(r.Faults)
	if r.Refused == nil || !r.Refused.Undeclared {
		for _, why := range r.Scripts {
			v.res.Because(result.Reason{Kind: result.ScriptFailed, Verdict: scenarios.Fail, Text: why})
		}
		if len(res.Objectives) > 0 && r.Refused == nil {
			v.decideObjectives()
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
		res.ExitCode = r.Code
	case res.Verdict == scenarios.None && good:
		res.ExitCode = scenarios.ExitPass
	}
}

// reasons lists why the run ended early, and why its figures can't be trusted. steady is the judgement of the steady
// state, if that ended the run.
func (r *Run) reasons(steady *result.ObjectiveResult) []result.Reason {
	out := slices.Clone(r.Ended)
	if r.Refused != nil {
		out = append(out, r.Refused.reason(steady))
	}
	return append(out, r.Unfit...)
}

// A Refusal says that the steady state did not hold, so that no fault was injected.
type Refusal struct {
	What       string
	Undeclared bool // the scenario declares no steady state, and its baseline failed
}

// reason returns the reason of the run. If a declared steady state does not hold, the target broke a promise, and the
// run fails, unless the judge found a condition on requests open, as the target or brunt may have lacked a processor.
// If the baseline fails without a declared one, the run shows nothing about the faults, and is invalid.
func (u *Refusal) reason(judged *result.ObjectiveResult) result.Reason {
	if u.Undeclared {
		return result.Reason{Kind: result.BaselineFailed, Verdict: scenarios.Invalid, Text: u.What}
	}
	r := result.Reason{Kind: result.SteadyLost, Verdict: scenarios.Fail, Text: u.What}
	if judged.Because.Has(result.MachineFails, result.OwnLoadFails) {
		r.Verdict, r.Why = judged.Verdict, judged.Why
	}
	return r
}

// verdict changes the verdict of a result to a worse one.
type verdict struct{ res *result.Result }

// decideFaults judges the faults themselves: whether one was not verified, affected no traffic or could not be undone.
func (v verdict) decideFaults(faults []Fault, smoke bool) {
	for i := range faults {
		for _, why := range faults[i].Reasons {
			v.res.Because(why)
		}
	}
	for _, f := range v.res.Faults {
		if f.Injected.Known() && f.Traffic == 0 && !smoke {
			v.res.Because(result.Reason{
				Kind: result.NoTraffic, Verdict: scenarios.Inconclusive, Fault: f.Name,
				After: max(0, f.Injected-v.res.Duration),
			})
		}
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
func (v verdict) invalidateVoid(faults []Fault) {
	for i := range faults {
		c := &faults[i]
		if c.Void == nil {
			continue
		}
		void := slo.ParseOccurrence(c.Name)
		harmed := slices.ContainsFunc(v.res.Incidents, func(in result.Incident) bool {
			return slices.Contains(in.Faults, c.Name)
		})
		v.invalidate(c.Void, func(o *result.ObjectiveResult) bool {
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
func (v verdict) doubtCut(faults []Fault) {
	for i := range faults {
		c := &faults[i]
		if c.Cuts == nil {
			continue
		}
		doubt := func(of *scenarios.Verdict) (doubted bool) {
			if doubted = c.Brief && *of == scenarios.Pass; doubted {
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
				o.Because = c.Cuts.And(o.Because...)
			default:
				o.Because = o.Because.And(c.Cuts...)
			}
			o.Say()
		}
	}
}

// decideObjectives gives a reason for each verdict of objectives, in the order of their precedence.
func (v verdict) decideObjectives() {
	for _, to := range []scenarios.Verdict{scenarios.Inconclusive, scenarios.Invalid, scenarios.Fail} {
		if i := tellingObjective(v.res.Objectives, to); i >= 0 {
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
func noteShort(res *result.Result) {
	for i := range res.Objectives {
		o := &res.Objectives[i]
		for j := range res.Faults {
			f := &res.Faults[j]
			if stated(o).Phase == (slo.Phase{}) || !o.Phase.Includes(f.Phase()) || !f.Injected.Known() ||
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
func tellingObjective(results []result.ObjectiveResult, of scenarios.Verdict) int {
	found := -1
	for i := range results {
		if results[i].Verdict != of {
			continue
		}
		if !stated(&results[i]).PhaseOrRun().OfRun() {
			return i
		}
		if found < 0 {
			found = i
		}
	}
	return found
}

// stated returns the objective of a result. The threshold of a script is the zero objective, which is about the run.
func stated(o *result.ObjectiveResult) slo.Objective {
	asked, _ := o.Asks()
	return asked
}
