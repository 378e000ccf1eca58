package judge

import (
	"math"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/judge/series"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// judgeFault judges an objective on a fault by the worst occurrence of the fault.
func (f *effects) judgeFault(o slo.Objective) result.ObjectiveResult {
	switch {
	case o.After.Kind == slo.IncidentPhase:
		return f.judgeIncidents(o)
	case !o.OfWorst():
		return f.judgeSpread(o)
	case f.read.c.OfStage(o):
		return f.reactions().Stage(o)
	}
	worst := absent(o.After, result.FaultAbsent)
	found := false
	var drills []result.Drill
	for i, oc := range f.read.Faults {
		if oc.Name == "" || !o.After.Includes(oc.Phase()) {
			continue
		}
		r := f.faultResult(o, i)
		if o.Drilled() {
			drills = append(drills, f.drillOf(o, i, &r))
		}
		if !found || requests.Worse(o, &r, &worst) {
			worst, found = r, true
		}
	}
	worst.Drills = drills
	return worst
}

// reactions returns a judge of when the user's monitoring and figures of the target reacted.
func (f *effects) reactions() series.ReactionJudge {
	return series.ReactionJudge{
		Reactions: &f.read.c.Reactions, Faults: f.read.Faults, OverAt: f.read.overAt, Usage: f.read.c.Usage,
		Series: f.read.c.Series, End: f.read.end,
	}
}

// unknown explains why the effect of occurrence i is unknown, and returns the verdict that this allows: invalid if it
// was not verified, inconclusive if no traffic met it. Notes are nil where the effect is known. Why says whether it is
// brunt's own doing.
func (f *effects) unknown(i int) (v scenarios.Verdict, notes result.Notes, why result.Why) {
	because := func(kind result.NoteKind) result.Notes {
		return result.Notes{{Kind: kind, Of: f.read.Faults[i].Name}}
	}
	name := f.read.Faults[i].Name
	of := &f.read.c.Occurrences[i]
	switch {
	case name == "": // the fault was not injected
		return "", nil, ""
	case of.Partial:
		return scenarios.Invalid, because(result.FaultPartly), ""
	case of.Unverified:
		return scenarios.Invalid, because(result.FaultUnverified), ""
	case of.unmet(), of.NoTraffic == nil && f.read.traffic[i] == 0:
		return scenarios.Inconclusive, because(result.FaultUnmet), ""
	case of.NoTraffic == nil && f.read.sentNone(i) && f.read.stoodStill(i) != nil:
		return scenarios.Invalid, f.read.stoodStill(i).And(result.Note{Kind: result.OwnSentNone}), result.Late
	}
	return "", nil, ""
}

// reported returns the answer of occurrence i for reports. A fault whose effect is unknown still confounds the next
// one, so f.answers keeps the answer as it was.
func (f *effects) reported(i int) effect.Answer {
	a := f.answers[i]
	_, why, _ := f.unknown(i)
	if a.Impact == result.NotImpacted {
		if why == nil {
			why = f.read.stoodStill(i)
		}
		if why == nil {
			why = lossUntold(f, i)
		}
		if s := f.slowdown(i); s.Answer == result.Untested {
			a = notCertain(a, s)
		}
	}
	if a.MaySlow || a.Impact == result.NotImpacted {
		a.Notes = nil // the parts say why
	}
	if why != nil {
		a.Impact, a.Notes = result.UnknownYet, why
		a.OnsetAt = result.NaN
		a.Hide()
	}
	return a
}

// required evaluates require_impact for an answer of occurrence i, and returns the reason if it is
// not a pass. An outage of one step is an impact. The verdict is empty where no impact is required.
func (f *effects) required(i int, a effect.Answer) result.Reason {
	oc := f.read.Faults[i]
	unknown := func(why result.Notes) result.Reason {
		return result.Reason{
			Kind: result.ImpactUnknown, Verdict: scenarios.Inconclusive, Fault: oc.Name, Because: why,
		}
	}
	few := a // its notes say that bad requests were too few; a reported answer has none
	if few.Doubted != nil && few.Notes == nil {
		few = f.answers[i]
	}
	if oc.Name == "" || !f.read.c.Occurrences[i].RequireImpact {
		return result.Reason{}
	}
	slower := f.slowdownOrStep(i)
	_, unmet, _ := f.unknown(i)
	switch {
	case unmet == nil && (a.Impact == result.NotImpacted || a.MaySlow) && f.anyStepDown(i):
	case a.Impact == result.NotImpacted && f.read.stoodStill(i) != nil:
		return unknown(f.read.stoodStill(i))
	case a.Impact == result.NotImpacted && slower.Answer == result.Untested:
		return unknown(untold(slower))
	case a.Impact == result.NotImpacted && lossUntold(f, i) != nil:
		return unknown(lossUntold(f, i))
	case a.Impact == result.NotImpacted && few.Doubted != nil:
		return unknown(few.Notes)
	case a.Impact == result.NotImpacted:
		return result.Reason{Kind: result.NoImpact, Verdict: scenarios.Fail, Fault: oc.Name}
	case !a.Tells():
		return unknown(a.Notes)
	}
	return result.Reason{Verdict: scenarios.Pass}
}

// limitVerdict lowers the verdict of an objective in a phase of occurrence i if the effect of the fault is unknown,
// or if an impact that is required is missing.
func (f *effects) limitVerdict(i int, r *result.ObjectiveResult) {
	if v, unknown, why := f.unknown(i); unknown != nil {
		r.Verdict, r.Because, r.Why = v, unknown, why
		return
	}
	if why := f.required(i, f.answers[i]); why.Kind != "" && r.Verdict == scenarios.Pass {
		r.Verdict, r.Because = why.Verdict, why.Notes()
	}
}

// faultResult judges an objective on occurrence i, as far as brunt saw what the target did.
func (f *effects) faultResult(o slo.Objective, i int) result.ObjectiveResult {
	r := f.occurrence(o, i)
	if o.Metric.Row().Effect == nil { // monitoring is asked apart from the load
		return r
	}
	return f.seen(&faultAsk{
		o: o, of: []int{i},
		judge:  func(f *effects) result.ObjectiveResult { return f.occurrence(o, i) },
		unseen: func(f *effects, i int) []requests.Span { return f.unseenOf(o, i) },
	}, r)
}

// maySlow returns the verdict of an objective on occurrence i if it is untested whether that made answers slower, for
// the reasons in notes. It is invalid if brunt stood still for most of the occurrence: it then sent at once what had
// been due, and answers to that may take long without the fault.
func (f *effects) maySlow(i int, notes result.Notes) (scenarios.Verdict, result.Notes, result.Why) {
	if still := f.read.stoodStill(i); still != nil {
		return scenarios.Invalid, still, result.Late
	}
	return scenarios.Inconclusive, notes, ""
}

// unsteadyBefore returns, by occurrence, how the steady state failed before the injection; nil if it held. Of several
// objectives the last one for whose requests it failed decides.
func (f *effects) unsteadyBefore() []result.Notes {
	out := make([]result.Notes, len(f.read.Faults))
	for _, o := range f.read.c.SLO {
		if !o.Metric.OfFault() || o.Metric.Row().Effect == nil || o.After.Kind == slo.IncidentPhase || f.read.c.OfStage(o) {
			continue
		}
		for i, oc := range f.read.Faults {
			if oc.Name == "" || !o.After.Includes(oc.Phase()) {
				continue
			}
			if a := f.ask(i, o); a.BadBefore {
				out[i] = requests.UnsteadyBefore(&f.read.Config, f.read.c.Limit, oc.Name, o, a)
			}
		}
	}
	return out
}

// unsteady returns, by occurrence, the reason that a steady state gives the run which failed before the injection. It
// fails the run. If it holds with the requests good whose timeouts and slow answers a lack of processors may explain,
// see [readings.withHeldGood], the run is inconclusive, or invalid if brunt itself lacked processor time.
func (f *effects) unsteady() []result.Reason {
	out := make([]result.Reason, len(f.read.Faults))
	var supposed []result.Notes
	for i, because := range f.unsteadyBefore() {
		if because == nil {
			continue
		}
		r := result.ObjectiveResult{Verdict: scenarios.Fail, Because: because}
		if why, held := f.read.heldIn(requests.Span{To: f.read.Faults[i].Injected}); held {
			if supposed == nil {
				supposed = f.supposing(f.read.withHeldGood()).unsteadyBefore()
			}
			if supposed[i] == nil {
				doubtHeld(&r, why)
				r.Because = append(because, r.Because...)
			}
		}
		out[i] = result.Reason{
			Kind: result.UnsteadyBefore, Verdict: r.Verdict, Fault: f.read.Faults[i].Name, Because: r.Because, Why: r.Why,
		}
	}
	return out
}

// occurrence judges an objective on occurrence i by what brunt saw.
func (f *effects) occurrence(o slo.Objective, i int) result.ObjectiveResult {
	oc, a := f.read.Faults[i], f.ask(i, o)
	r := requests.Unanswered(oc.Phase(), a.Notes...)
	r.Count = 1
	row := o.Metric.Row()
	monitored := row.Effect == nil
	required := f.required(i, a)
	v, unknown, by := f.unknown(i)
	switch {
	case unknown != nil:
		r.Verdict, r.Because, r.Why = v, unknown, by
	case monitored: // independent of its effect on the load
		r.Because = nil
		f.reactions().Occurrence(o, i, &r)
	case a.BadBefore:
		r.Verdict = scenarios.Fail
	case required.Kind != "":
		r.Verdict, r.Because = required.Verdict, required.Notes()
	case a.Impact == result.Confounded:
		f.judgeJoint(o, i, &r)
		f.judgeOpen(o, i, a, &r)
	case a.MaySlow:
		r.Verdict, r.Because, r.Why = f.maySlow(i, a.Notes)
	case a.Doubted == nil && !a.Tells():
	default:
		f.judgeAnswer(o, i, a, &r)
	}
	return r
}

// judgeAnswer judges an objective on an occurrence by an answer that tells its effect, or doubts it.
func (f *effects) judgeAnswer(o slo.Objective, i int, a effect.Answer, r *result.ObjectiveResult) {
	if a.Doubted != nil {
		f.judgeDoubted(o, i, a, r)
		return
	}
	f.judgeValue(o, i, a, r)
}

// judgeDoubted judges an objective on an occurrence in or after which requests were bad, where nothing shows that it
// did that, or that they were more than chance explains. The verdict stands if it is the same with this harm and
// without it; else the objective is inconclusive.
func (f *effects) judgeDoubted(o slo.Objective, i int, a effect.Answer, r *result.ObjectiveResult) {
	with, without := *r, *r
	with.Because, without.Because = nil, nil
	f.judgeValue(o, i, *a.Doubted, &with)
	why := a.Notes
	recovered := a.RecoveredAt.Known()
	few := recovered && !a.OnsetAt.Known()
	if a.Notes = nil; !recovered { // else it had recovered before
		a.Impact, a.RecoveredAt = result.NotImpacted, result.Sec(f.read.Faults[i].Injected)
	}
	f.judgeValue(o, i, a, &without)
	if with.Verdict == without.Verdict {
		if few {
			*r = without
			r.Because = why
			return
		}
		if recovered && with.Verdict == scenarios.Fail { // its value is the one that is shown
			*r = without
			r.Because = append(r.Because, why...)
			return
		}
		*r = with
		r.Because = append(r.Because, why...)
		return
	}
	r.Because = why
}

// judgeJoint judges an objective on an occurrence whose effect cannot be separated from that of others, by the effect
// that they had together. That is an upper bound: the target recovered from all of them no earlier than from this
// one, and lost no less. So an objective that holds for all of them holds for this one. One that does not hold is
// inconclusive, because the others may be the cause: an objective `after incident` judges them all.
func (f *effects) judgeJoint(o slo.Objective, i int, r *result.ObjectiveResult) {
	row := o.Metric.Row()
	of := f.confoundedWith(i)
	if len(of) < 2 || !o.Upper() || !row.Recovers && !row.Lasts {
		return
	}
	a := f.joint(of, o)
	if !a.Tells() || a.BadBefore {
		return
	}
	if why := f.slowUntoldOf(o, of, a); why != nil {
		r.Because = why
		return
	}
	var names []string
	for _, j := range of {
		names = append(names, f.read.Faults[j].Name)
	}
	both := *r
	both.Because = nil
	f.judgeAnswer(o, i, a, &both)
	switch both.Verdict {
	case scenarios.Pass:
		*r = both
		r.Because = both.Because.And(result.Note{Kind: result.Together, Faults: names})
	case scenarios.Fail:
		r.Low, r.High = both.Low, both.High
		r.Because = result.Notes{{Kind: result.TogetherFails, Faults: names, Value: both.Measured}}
	}
}

// judgeOpen fails an objective on an occurrence that the target had not recovered from when the next one was injected,
// if the time or the loss until then was already too much. Which of the two did the harm after that is unknown.
func (f *effects) judgeOpen(o slo.Objective, i int, a effect.Answer, r *result.ObjectiveResult) {
	if r.Verdict != scenarios.Inconclusive || !a.NotBefore.Known() || !o.Upper() || !o.OfWorst() {
		return
	}
	until := *r
	until.Because = nil
	f.judgeValue(o, i, a, &until)
	if until.Verdict == scenarios.Fail {
		until.Because = until.Because.And(r.Because...)
		*r = until
	}
}

// judgeValue compares a value with its target. Without recovery, the loss so far is a lower
// limit of the loss: it can fail an upper bound and cannot pass one.
func (f *effects) judgeValue(o slo.Objective, i int, a effect.Answer, r *result.ObjectiveResult) {
	row := o.Metric.Row()
	e := effectOf(f.read, i, a)
	value, alone := row.Effect(e), f.endsAlone(i)
	if away := e.Cleared - e.Begin.At; alone && math.IsInf(value.V, 1) && o.Upper() && requests.Meets(o, away) {
		value = slo.Value{V: max(0, away), Unshown: true} // nothing could take over for as long as the limit
	}
	v, least := value.V, value.Least
	met := requests.Meets(o, v)
	grows := o.Op == ">" || o.Op == ">="
	var slow result.Notes
	if met && o.Upper() {
		slow = f.slowUntoldAt(o, i, a)
	}
	switch {
	case math.IsNaN(v):
		if value.Untouched {
			r.Because = result.Notes{{Kind: result.OnsetNone}}
		}
		return
	case slow != nil:
		r.Because = slow
		return
	case value.Unshown:
		switch r.Low = result.Num(v); {
		case alone:
			r.Because = result.Notes{{Kind: result.FailoverUntold, Of: f.read.Faults[i].Name}}
		case a.FailoverLacks == nil:
			r.Because = result.Notes{{Kind: result.RecoveryNone, For: r.Low}}
			if !met {
				r.Measured = result.Num(math.Inf(1))
			}
		default:
			r.Because = a.FailoverLacks
		}
		if met {
			return
		}
	case least && met && !grows, least && !met && grows, least && o.Op == "=" && v < o.Value:
		r.Low = result.Num(v)
		if since := a.NotBefore - result.Sec(f.read.Faults[i].Injected); since.Known() && len(r.Because) == 0 {
			r.Because = append(result.Notes{{Kind: result.RecoveryNone, For: since}}, a.Usual...)
		}
		return
	case least && row.Recovers:
		r.Low = result.Num(v)
		r.Because = append(result.Notes{{Kind: result.RecoveryNone, For: result.Num(v)}}, a.Usual...)
		if a.RelapsedAt.Known() {
			r.Because = append(r.Because, result.Note{Kind: result.RelapsedThen, From: a.RelapsedAt})
		}
		if a.Impact == result.NotRecovered {
			r.Measured = result.Num(math.Inf(1))
		}
	default:
		r.Measured = result.Num(v)
	}
	switch {
	case untouched(a):
		r.Because = result.Notes{{Kind: result.WithinLimit}}
	case math.IsInf(v, 1):
		r.Because = result.Notes{{Kind: result.FailoverNone}}
	case value.Bounded && !least:
		r.Low, r.High = result.Num(value.Low), result.Num(value.High)
	}
	if a.RelapsedAt.Known() && a.RecoveredAt.Known() && row.Recovers {
		r.Because = result.Notes{{Kind: result.RecoveryLast, From: a.RelapsedAt}}
	}
	switch {
	case requests.EndsDiffer(o, r):
		r.Because = requests.EndsDecide(r)
	case met:
		r.Verdict = scenarios.Pass
	default:
		r.Verdict = scenarios.Fail
	}
}

// endsAlone reports whether occurrence i ended by itself, as when a supervisor has started its unit again.
func (f *effects) endsAlone(i int) bool {
	oc := &f.read.Faults[i]
	return oc.Over && f.read.c.Occurrences[i].OneShot && !f.read.c.Occurrences[i].StaysDown
}

// slowUntold explains why it is unknown for how long answers were slower, if no slow answer counts as bad. It is nil
// if that is known, or if answers were not slower. A limit from the baseline tells nothing if answers that take over
// twice as long, and over 20 ms longer, are still under it.
func (f *readings) slowUntold(o slo.Objective, s requests.Slowdown) result.Notes {
	_, limit := f.Config.SlowRange()
	switch {
	case f.asksSlow(o), s.Answer == result.No:
	case s.Answer == result.Untested && !s.Why.Has(result.SlowerDuring): // else they were slower
		return untold(s)
	case limit == 0:
		return result.Notes{{Kind: result.SlowUnlimited}}
	case s.Far != result.No:
		return result.Notes{{Kind: result.SlowUnderLimit, Limit: result.Sec(limit)}}
	}
	return nil
}

// slowUntoldBeside is slowUntold for an occurrence with the answer a. If requests failed, the end of the failures is
// known, but good answers may have been slow for longer: without a limit that tells which are slow, the time until
// recovery is unknown, and so is the service that was lost. With a limit, slow answers are bad. If a closed load stood
// still and no request failed, the late answers are the outage itself.
func (f *readings) slowUntoldBeside(o slo.Objective, s requests.Slowdown, a effect.Answer) result.Notes {
	row := o.Metric.Row()
	if _, limit := f.Config.SlowRange(); !untouched(a) &&
		(limit > 0 || a.Failed == 0 || !s.Enough || !row.UntilGood && !row.Lasts) {
		return nil
	}
	return f.slowUntold(o, s)
}

// slowUntoldAt is slowUntoldBeside for occurrence i. A limit from the baseline tells nothing either if requests failed,
// and then most good answers were far slower under it while the fault was still in.
func (f *effects) slowUntoldAt(o slo.Objective, i int, a effect.Answer) result.Notes {
	if why := f.read.slowUntoldBeside(o, f.slowdownOf(o, i), a); why != nil {
		return why
	}
	row, s := o.Metric.Row(), f.slownessOf(o)
	_, limit := f.read.Config.SlowRange()
	if untouched(a) || f.read.asksSlow(o) || s.test == nil || limit == 0 || !row.UntilGood && !row.Lasts ||
		f.slowdownOf(o, i).Answer == result.No || !a.RecoveredAt.Known() {
		return nil
	}
	rest := requests.Span{From: measure.FloorSecond(a.RecoveredAt.D()) + time.Second, To: f.read.overAt(i)}
	if !s.test.MostlyFar(i, rest) {
		return nil
	}
	return result.Notes{{Kind: result.SlowUnderLimit, Limit: result.Sec(limit)}}
}

// slowUntoldOf is slowUntoldAt for occurrences that count as one fault: for any of them, or for all together.
func (f *effects) slowUntoldOf(o slo.Objective, of []int, a effect.Answer) result.Notes {
	for _, i := range of {
		if why := f.slowUntoldAt(o, i, a); why != nil {
			return why
		}
	}
	s := f.slownessOf(o)
	if s.slower == nil {
		return nil
	}
	return f.read.slowUntoldBeside(o, s.test.Slower(of...), a)
}

// untouched reports whether the share of bad requests stayed within the limit. Writes may have been lost.
func untouched(a effect.Answer) bool {
	return a.Impact == result.NotImpacted || a.Impact == result.Impacted && !a.OnsetAt.Known()
}

// effectOf returns the effect of occurrence i in the form that the rows of [slo.Metrics] use. The times of
// a group count from the begin of its incident, because its first step need not be what did the harm.
func effectOf(f *readings, i int, a effect.Answer) slo.Effect {
	oc := f.Faults[i]
	instant := func(at result.Num, in effect.Range) slo.Instant {
		return slo.Instant{At: float64(at), Low: float64(in.Low), High: float64(in.High)}
	}
	e := slo.Effect{
		Injected: oc.Injected.Seconds(), Cleared: math.NaN(), Untouched: untouched(a),
		Onset: instant(a.OnsetAt, a.OnsetIn), Failover: instant(a.FailoverAt, a.FailoverIn),
		Recovered:         instant(a.RecoveredAt, a.RecoveredIn),
		FailoverNotBefore: float64(a.FailoverNotBefore),
		NotBefore:         float64(a.NotBefore), Degraded: a.Degraded.Seconds(), Failed: a.Failed, Area: a.Area,
		Width: a.Resolution.Seconds(),
	}
	e.Begin = slo.Instant{At: e.Injected, Low: e.Injected, High: e.Injected}
	if f.c.Occurrences[i].Group && a.OnsetAt.Known() {
		e.Begin = e.Onset
	}
	if oc.Over {
		e.Cleared = f.overAt(i).Seconds()
	}
	return e
}
