package result

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

// A Reason is a finding that gives a run its verdict. Of several reasons the worst decides.
type Reason struct {
	Kind    ReasonKind        `json:"kind" mask:"-"` // kind of the reason
	Verdict scenarios.Verdict `json:"verdict"`       // verdict that it gives the run
	// the occurrence of a fault, or the step of a group, that the reason is about; empty if it is about none
	Fault string `json:"fault,omitempty" mask:"-"`
	// number of the first objective with this verdict, from 1; zero means none
	Objective int   `json:"objective,omitempty"`
	Requests  int64 `json:"requests,omitempty"` // requests of the run, if the reason is about a share of them
	// requests that failed; for failures of brunt, the requests that brunt failed to send
	Failed int64 `json:"failed,omitempty"`
	Shed   int64 `json:"shed,omitempty"` // requests that were shed
	// when the run ended, how long the fault lasted, how long after the end of the load it came, or the time limit for a
	// unit to be healthy again, in seconds
	After Num    `json:"after,omitempty"`
	Left  int    `json:"left,omitempty"` // number of entries of the journal that are not undone
	Text  string `json:"text,omitempty"` // the text of an error, or the finding in words
	// of over_early: something else than brunt undid the fault, or ended or restarted its unit
	Undone bool `json:"undone,omitempty"`
	Why    Why  `json:"why,omitempty" mask:"-"` // reason for programs, see Why; empty if brunt is not the cause
	// the finding as data, which text puts into words; empty if text is an error
	Because Notes `json:"because,omitempty"`
}

// A ReasonKind is the kind of a [Reason].
type ReasonKind string

// The kinds of reasons on the objectives of a run, and of a run without objectives.
const (
	Held          ReasonKind = "held"           // all objectives hold
	NotHeld       ReasonKind = "not_held"       // objectives failed, were not decided, or could not be judged
	SoFar         ReasonKind = "so_far"         // how objectives stand in a run in progress
	Unasked       ReasonKind = "unasked"        // requests were not good, and no objective covers them
	AllGood       ReasonKind = "all_good"       // there are no objectives, and all was good
	NoRequest     ReasonKind = "no_request"     // there are no objectives, and no request was made
	NotSent       ReasonKind = "not_sent"       // no objectives; brunt failed to send all requests that were not good
	NoImpact      ReasonKind = "no_impact"      // a fault that requires an impact had none
	ImpactUnknown ReasonKind = "impact_unknown" // whether a fault that requires an impact had one is unknown
)

// The kinds of reasons on faults.
const (
	NotUndone       ReasonKind = "not_undone"      // the fault could not be taken back
	GoneUnverified  ReasonKind = "gone_unverified" // the fault was taken back, but its end is unverified
	StillDown       ReasonKind = "still_down"      // the unit of a one-shot was not healthy again in time
	NotReadyAgain   ReasonKind = "not_ready"       // the fault was taken back, and its unit did not become ready in time
	StaysDown       ReasonKind = "stays_down"      // a unit that brunt did not start is down after the fault
	OverEarly       ReasonKind = "over_early"      // the fault was over before its time
	Void            ReasonKind = "void"            // something else makes the fault invalid; text says what
	InjectionFailed ReasonKind = "not_injected"    // the injection failed
	PartlyInjected  ReasonKind = "partly_injected" // steps of the group failed
	NoEffect        ReasonKind = "no_effect"       // the fault was injected, but its effect was not verified
	NoTraffic       ReasonKind = "no_traffic"      // the fault affected no traffic
	OperatorAbsent  ReasonKind = "operator_absent" // no operator continued the fault, so it was not injected
	UnsteadyBefore  ReasonKind = "unsteady_before" // the steady state did not hold before the fault
)

// The kinds of reasons on how a run began and ended.
const (
	NotStarted     ReasonKind = "not_started"     // the load never began
	SteadyLost     ReasonKind = "steady_lost"     // the steady state did not hold, so no fault was injected
	BaselineFailed ReasonKind = "baseline_failed" // the same, in a scenario that declares no steady state
	Interrupted    ReasonKind = "interrupted"     // a signal or a caller interrupted the run
	StopCondition  ReasonKind = "stop_condition"  // a stop condition was met
	StoppedInside  ReasonKind = "stopped"         // a person at the cluster ended the run
	DataUsedUp     ReasonKind = "data_used_up"    // unique data was used up
	Suspended      ReasonKind = "suspended"       // brunt was suspended
	NoWorker       ReasonKind = "no_worker"       // no worker is left
	WorkerLost     ReasonKind = "worker_lost"     // a worker was lost, which ends the run, or the run has no objectives
	TargetGone     ReasonKind = "target_gone"     // brunt's own watchdog ended the target
	ScriptFailed   ReasonKind = "script_failed"   // the script marked the test as failed
	ScriptLimit    ReasonKind = "script_limit"    // the script or its engine did not report all data
	LinkBroken     ReasonKind = "link_broken"     // brunt's proxy of a link failed without a fault
	BruntFailed    ReasonKind = "brunt_failed"    // brunt had an error during the load
	LeftBehind     ReasonKind = "left_behind"     // entries of the journal are open
	Crashed        ReasonKind = "crashed"         // brunt crashed, and its watchdog took everything back
	CrashedIn      ReasonKind = "crashed_in"      // brunt crashed, and not everything was taken back
	FailedAfter    ReasonKind = "failed_after"    // brunt had an error after the run, such as at taking down the target
	Unwritten      ReasonKind = "unwritten"       // the report could not be written
)

// OwnLag begins the sentence of each verdict that brunt's own time decides.
const OwnLag = "brunt itself was late"

// Because adds a reason. If it is worse than the reasons before, it becomes the first, and sets the verdict and the
// sentence.
func (r *Result) Because(x Reason) {
	x.Say()
	worst := scenarios.Worse(r.Verdict, x.Verdict)
	if worst == r.Verdict {
		r.Reasons = append(r.Reasons, x)
		return
	}
	r.Reasons = append([]Reason{x}, r.Reasons...)
	r.Verdict, r.Reason, r.Why = worst, x.Sentence(r), x.Why
}

// Broke records that brunt itself had an error after the run. It becomes the verdict unless the verdict before has
// precedence.
func (r *Result) Broke(kind ReasonKind, why error) {
	before := r.Verdict
	r.Because(Reason{Kind: kind, Verdict: scenarios.Broken, Text: strings.ReplaceAll(why.Error(), "\n", "; ")})
	if r.Verdict != before {
		r.ExitCode = scenarios.ExitError
	}
}

// Untried returns why nothing was tried, if that gives the run its verdict: [NotStarted] or [BaselineFailed]; else "".
func (r *Result) Untried() ReasonKind {
	if r.Verdict == scenarios.Invalid && len(r.Reasons) > 0 &&
		(r.Reasons[0].Kind == NotStarted || r.Reasons[0].Kind == BaselineFailed) {
		return r.Reasons[0].Kind
	}
	return ""
}

// VerdictWords returns the verdict of the run in words for readers, such as "not reverted". A run that tried nothing is
// not called invalid, but "not started" or "baseline failed".
func (r *Result) VerdictWords() string {
	return scenarios.Verdict(cmp.Or(string(r.Untried()), string(r.Verdict))).Words()
}

// Say sets the text of the reason from its data, if it has data.
func (x *Reason) Say() {
	if len(x.Because) > 0 {
		x.Text = x.Because.Phrase(nil)
	}
}

// Notes returns the reason as notes for an objective. It is for reasons on an impact, or on a fault that was over
// early. The reason must have a fault.
func (x *Reason) Notes() Notes {
	switch x.Kind {
	case NoImpact:
		return Notes{{Kind: ImpactMissing, Of: x.Fault}}
	case ImpactUnknown:
		because := x.Because
		if len(because) == 0 {
			because = Notes{{Kind: Worded, Text: x.Text}}
		}
		return append(Notes{{Kind: ImpactUntold, Of: x.Fault}}, because...)
	case OverEarly:
		return Notes{{Kind: FaultOver, Of: cmp.Or(x.Fault, "it"), For: x.After, Text: x.Text}}
	}
	return Notes{{Kind: FaultVoid, Text: x.Text}}
}

// Sentence returns the reason as a sentence. r is the result that the reason refers to.
func (x *Reason) Sentence(r *Result) string {
	s := x.Phrase(r)
	switch {
	case x.Kind == Crashed, x.Kind == CrashedIn: // the terminal prints it in the middle of a line
		return s
	case x.keepsFirst():
		return syntax.Period(s)
	}
	return syntax.Sentence(s)
}

// keepsFirst reports whether the first word of the sentence stays as it is, because it is a name such as that of the
// fault.
func (x *Reason) keepsFirst() bool {
	switch x.Kind {
	case NoImpact, ImpactUnknown, UnsteadyBefore:
		return false
	case Unasked, NotSent:
		return true
	}
	return x.Fault != ""
}

// Phrase returns the reason in words, as a part of a sentence.
func (x *Reason) Phrase(r *Result) string {
	switch x.Kind {
	case Held, NotHeld, SoFar:
		return x.onObjectives(r)
	case Unasked, AllGood, NoRequest, NotSent:
		return x.withoutObjectives(r)
	case NoImpact, ImpactUnknown:
		return x.Notes().Phrase(nil)
	case UnsteadyBefore:
		return "the steady state did not hold: " + x.Text
	case NotUndone, GoneUnverified, StillDown, NotReadyAgain, StaysDown, OverEarly, Void,
		InjectionFailed, PartlyInjected, NoEffect, NoTraffic, OperatorAbsent:
		return x.onFault()
	}
	return x.onEnd(r)
}

// undoneRemedy is what to do about an [OverEarly] that is Undone. It is said once, with the reason of the run, and not
// with each objective on the fault.
const undoneRemedy = ". If the target heals itself, take a fault of one moment, process.crash, process.restart or " +
	"container.restart, which measures how long it takes to heal. Else end what undid the fault for the run"

// onFault words a reason on a fault. Without a name, the run has only one fault.
func (x *Reason) onFault() string {
	subject, of := x.Fault, x.Fault+": "
	if x.Fault == "" {
		subject, of = "it", ""
	}
	switch x.Kind {
	case NotUndone:
		return subject + " could not be taken back: " + x.Text
	case GoneUnverified:
		return subject + " was taken back, and that it is over is unverified: " + x.Text
	case StillDown:
		s := of + "its unit was not healthy again within " + quantity.FormatDuration(x.After.D())
		if x.Text != "" {
			s += ": " + x.Text
		}
		return s + x.onWaits()
	case NotReadyAgain:
		return subject + " was taken back; " + x.Text + x.onWaits()
	case StaysDown:
		return subject + " is over, and a unit that brunt did not start stays down: " + x.Text + "; start it again yourself"
	case OverEarly:
		if x.Undone {
			return x.Notes().Phrase(nil) + undoneRemedy
		}
		return x.Notes().Phrase(nil)
	case InjectionFailed:
		return subject + " was not injected: " + x.Text
	case OperatorAbsent:
		return subject + " was not injected: no operator continued it within " +
			quantity.FormatDuration(x.After.D().Round(10*time.Millisecond))
	case PartlyInjected:
		return subject + " was injected in part: " + x.Text
	case NoEffect:
		return subject + " was injected, but not verified: " + x.Text
	case NoTraffic:
		if x.After > 0 {
			return subject + " came " + quantity.FormatDuration(x.After.D().Round(10*time.Millisecond)) +
				" after the load had ended, so its effect is unknown"
		}
		return subject + " affected no traffic, so its effect is unknown"
	}
	return of + x.Text
}

// OfSlowStart reports whether the reason is that a unit was not well again in time.
func (x *Reason) OfSlowStart() bool {
	return x.Verdict == scenarios.Fail && (x.Kind == StillDown || x.Kind == NotReadyAgain)
}

// onWaits says why it is open whether a unit that was not well again in time is to blame for it.
func (x *Reason) onWaits() string {
	if x.Verdict != scenarios.Inconclusive {
		return ""
	}
	return ". Other programs held the processors meanwhile, and it waited for one for half of the time: run it again on " +
		"a quiet machine"
}

// onEnd words a reason on how a run began or ended.
func (x *Reason) onEnd(r *Result) string {
	switch x.Kind {
	case SteadyLost:
		return "the steady state did not hold: " + x.Text + "; no fault was injected" + x.onLack()
	case BaselineFailed:
		mend := ". Mend the target or the load"
		switch g := &r.Generator; {
		case r.FailedBeyondTimeouts():
		case len(g.Held()) > 0 || !g.Healthy && g.Pressure >= slowdownBusy:
			mend = ". The machine was busy meanwhile, which may be why: run it again on a quiet one. Else mend the target or " +
				"the load"
		case !g.Healthy:
			mend = ". brunt itself was late meanwhile, which may be why. Else mend the target or the load"
		}
		said := "the baseline failed: " + x.Text + "; no fault was injected" + mend
		if !r.TargetFailed() || r.badBefore() > .55 { // no request had ended, or so many errors are not normal
			return said
		}
		return said + ". If so many errors are normal, say so by an objective such as `errors < 60% in baseline`, or by " +
			"`steady`"
	case Interrupted:
		how := "interrupted"
		if x.Text != "" {
			how = "stopped by " + x.Text
		}
		return how + " after " + quantity.FormatSeconds(float64(x.After))
	case StopCondition:
		return "stop condition met: " + x.Text
	case LeftBehind:
		return syntax.Plural(int64(x.Left), "entry of the journal is", "entries of the journal are") +
			" open; `brunt revert` tries again"
	case Crashed:
		return "brunt itself crashed: " + x.Text + "; its measurements are lost, and everything was taken back"
	case CrashedIn:
		return "brunt itself crashed: " + x.Text + "; its watchdog left " +
			syntax.Plural(int64(x.Left), "entry", "entries") + " of its journal: see `brunt status`"
	case FailedAfter:
		return "brunt itself failed after the run: " + x.Text + x.before(r)
	case Unwritten:
		return "the report could not be written: " + x.Text + x.before(r)
	}
	return x.Text
}

// Refused reports whether the run injected no fault because of what came before: its steady state did not hold, or its
// baseline failed.
func (x *Reason) Refused() bool { return x.Kind == SteadyLost || x.Kind == BaselineFailed }

// onLack says why a steady state that did not hold proves nothing about the target.
func (x *Reason) onLack() string {
	switch x.Verdict {
	case scenarios.Inconclusive:
		return ". Other programs held the processors meanwhile, which may be why: run it again on a quiet machine"
	case scenarios.Invalid:
		return ". brunt itself was late meanwhile, which may be why: give it a processor, and run it again"
	}
	return ""
}

// FailedBeyondTimeouts reports whether most errors are neither timeouts nor brunt's own, so that no wait for a
// processor explains them.
func (r *Result) FailedBeyondTimeouts() bool {
	all, others := int64(0), int64(0)
	for i := range r.Errors {
		e := &r.Errors[i]
		if e.Part || e.Init {
			continue
		}
		all += e.Count
		if e.Kind != scenarios.Timeout.String() && !e.TimedOut && !e.Own() {
			others += e.Count
		}
	}
	return 2*others > all
}

// badBefore returns the share of requests of the baseline that were not good; 0 if that is not known.
func (r *Result) badBefore() float64 {
	all, ok := int64(0), int64(0)
	for i := range r.Cells {
		switch c := &r.Cells[i]; {
		case c.Phase.Kind != slo.BaselinePhase || c.Load != "*" || c.Step != "*":
		case c.Outcome == "*":
			all = c.Count
		case c.Outcome == scenarios.OK.String():
			ok = c.Count
		}
	}
	return float64(all-ok) / float64(max(all, 1))
}

// TargetFailed reports whether requests failed, other than by brunt itself.
func (r *Result) TargetFailed() bool {
	return slices.ContainsFunc(r.Errors, func(e ErrorGroup) bool { return !e.Part && !e.Init && !e.Own() })
}

// before words the verdict and reason that the run had before a worse reason replaced them.
func (x *Reason) before(r *Result) string {
	if len(r.Reasons) < 2 {
		return ""
	}
	was := &r.Reasons[1]
	return "; the run itself: " + was.Verdict.Words() + ": " + was.Sentence(r)
}

// ownTrouble tells the outages of a run whose objectives held, and that no fault is shown to have done; empty without.
func (r *Result) ownTrouble() string {
	switch in, n := r.Unblamed(); {
	case in == nil:
		return ""
	case n == 1:
		return fmt.Sprintf(", and %d requests failed or were too slow in an outage at %s that no fault is shown to have done",
			in.Bad, quantity.FormatInstant(in.Begin.D()))
	default:
		return fmt.Sprintf(", and no fault is shown to have done %d outages, the worst at %s", n,
			quantity.FormatInstant(in.Begin.D()))
	}
}

// onObjectives words a reason on the objectives of a run.
func (x *Reason) onObjectives(r *Result) string {
	n := len(r.Objectives)
	switch {
	case x.Kind == SoFar:
		return soFar(r.verdicts(), n)
	case x.Kind == Held && n == 1:
		return "the objective held" + r.ownTrouble()
	case x.Kind == Held:
		return fmt.Sprintf("all %d objectives held", n) + r.ownTrouble()
	}
	if x.Objective < 1 || x.Objective > n {
		return ""
	}
	o := &r.Objectives[x.Objective-1]
	joint := ": "
	if r.verdicts()[x.Verdict] > 1 {
		joint = ", one of them "
	}
	s := r.HowMany(x.Verdict) + joint + o.found()
	if o.Verdict == scenarios.Invalid && x.Why == Late && len(r.Generator.Limits) > 0 {
		s += ". " + r.Generator.Limits[0]
	}
	return s
}

// HowMany says how many objectives have a verdict that is no pass, and how many a weaker one, which it must not hide.
func (r *Result) HowMany(v scenarios.Verdict) string {
	words := map[scenarios.Verdict]string{
		scenarios.Fail: "failed", scenarios.Inconclusive: "could not be decided", scenarios.Invalid: "could not be judged",
	}
	n := len(r.Objectives)
	if n == 1 {
		return "the objective " + words[v]
	}
	count := r.verdicts()
	said := []string{fmt.Sprintf("%d of %d objectives %s", count[v], n, words[v])}
	weaker := false
	for _, w := range []scenarios.Verdict{scenarios.Fail, scenarios.Invalid, scenarios.Inconclusive} {
		if weaker && count[w] > 0 {
			said = append(said, fmt.Sprintf("%d %s", count[w], words[w]))
		}
		weaker = weaker || w == v
	}
	return strings.Join(said, ", ")
}

// verdicts counts the objectives by their verdict.
func (r *Result) verdicts() map[scenarios.Verdict]int {
	count := map[scenarios.Verdict]int{}
	for i := range r.Objectives {
		count[r.Objectives[i].Verdict]++
	}
	return count
}

// soFar says how the objectives of a run in progress stand.
func soFar(count map[scenarios.Verdict]int, n int) string {
	failed, held, open := count[scenarios.Fail], count[scenarios.Pass], count[scenarios.Pending]
	switch {
	case n == 0:
		return "no objective is set, so this run has no verdict"
	case failed > 0:
		return fmt.Sprintf("so far %d of %d objectives fail, %d hold, and %d can't be judged yet", failed, n, held, open)
	case open > 0:
		return fmt.Sprintf("so far no objective fails: %d of %d hold, and %d can't be judged yet", held, n, open)
	case n == 1:
		return "so far the objective holds"
	}
	return fmt.Sprintf("so far all %d objectives hold", n)
}

// found describes an objective, its measured value and its note.
func (o *ObjectiveResult) found() string {
	s := o.Text
	switch m := o.Of(); {
	case o.Measured.Known():
		s += ", measured " + m.FormatValue(float64(o.Measured))
	case o.Infinite && m.Latency():
		s += ", and more requests failed than it allows"
	}
	if o.Note != "" {
		s += " (" + o.Note + ")"
	}
	return s
}

// withoutObjectives words the reason of a run without objectives.
func (x *Reason) withoutObjectives(r *Result) string {
	switch x.Kind {
	case AllGood:
		return "every request and check was good, and no objective asks about anything"
	case NoRequest:
		return "no request was made and no objective asks about it"
	case NotSent:
		return fmt.Sprintf(OwnLag+" or without a socket for %d of %d requests", x.Failed, x.Requests)
	}
	var found []string
	tell := func(part int64, what string) {
		if part > 0 {
			share := quantity.FormatShareBriefly(float64(part) / float64(x.Requests))
			found = append(found, share+" of requests "+what)
		}
	}
	tell(x.Failed, "failed")
	tell(x.Shed, "were shed")
	for _, l := range r.AllLedgers() {
		found = append(found, l.found()...)
	}
	for _, d := range r.Deliveries {
		found = append(found, d.found()...)
	}
	for _, c := range r.Consistency {
		if c.Anomalies > 0 {
			found = append(found, syntax.Plural(c.Anomalies, "operation on "+c.Name+" shows", "operations on "+c.Name+" show")+
				" that it is not linearizable")
		}
		if c.Undecided > 0 {
			found = append(found, syntax.Plural(c.Undecided, "register of "+c.Name+" was", "registers of "+c.Name+" were")+
				" not decided")
		}
		if n := c.LeftOut + c.Unrecorded; n > 0 {
			found = append(found, syntax.Plural(n, "operation on "+c.Name+" was", "operations on "+c.Name+" were")+
				" left out of the check")
		}
	}
	return strings.Join(found, ", ") + " and no objective asks about it"
}

// found counts the writes of a ledger that were lost, duplicated or stale, and those of unknown fate.
func (l *LedgerRecord) found() (list []string) {
	of := ""
	if l.Name != "" {
		of = " of " + l.Name
	}
	tell := func(n int64, what string) {
		if n > 0 {
			list = append(list, syntax.Plural(n, "acknowledged write"+of+" was ", "acknowledged writes"+of+" were ")+what)
		}
	}
	tell(l.Wrong(), "lost, duplicated or stale")
	if !l.Read {
		return append(list, "the writes"+of+" were not read back")
	}
	tell(l.Elsewhere, "not where clients read")
	tell(l.Unsure()-l.Elsewhere, "of unknown fate")
	if l.Reads != nil && l.Reads.Stale > 0 {
		list = append(list, syntax.Plural(l.Reads.Stale, "read", "reads")+" during the load did not find the latest write"+of)
	}
	if l.Unreported != "" {
		list = append(list, "writes"+of+" by a lost worker are unknown")
	}
	return list
}

// found counts the messages of a delivery that were lost, late, doubled or out of order, and those of unknown fate.
func (d *DeliveryRecord) found() (list []string) {
	tell := func(n int64, what string) {
		if n > 0 {
			list = append(list, syntax.Plural(n, "message of "+d.Name+" was ", "messages of "+d.Name+" were ")+what)
		}
	}
	lost := "lost"
	if d.Lost > 0 && d.Unreadable > 0 {
		lost += " or seen without a readable id"
	} else {
		tell(d.Unreadable, "seen without a readable id")
	}
	tell(d.Lost, lost)
	tell(d.Duplicated, "seen more than once")
	tell(d.Again, "perhaps seen more than once")
	tell(d.Reordered, "seen out of order")
	tell(d.Late, "seen late")
	tell(d.Unsure(), "of unknown fate")
	return list
}
