package words

import (
	"cmp"
	"encoding/json"
	"math"
	"regexp"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

const (
	mostPoints = 4 // bounds the points of why a run has its verdict, unless several causes need more, and the advice
	mostCauses = 3 // bounds the outages that are named as causes
)

// findings are what the points and the rules of an answer look at, found once in a result.
type findings struct {
	r     *result.Result
	in    *result.Incident    // the outage with the most bad requests; nil if there was none
	fault *result.FaultRecord // the fault that did it; nil if none is shown to have done it
	later *result.Incident    // the worst outage of that fault that began well after it was over; nil without
	late  bool                // in is later
	own   []*result.Incident  // in, and the outages of its fault that are told with it; empty without in
	also  []*result.Incident  // further outages that count against the failed objectives, those that count most first
	first *result.ErrorGroup  // the errors that came first, or most often; nil if no request failed
	often bool                // it is not known which errors came first, and first is the most frequent ones
	// time that decided the run; see span
	from, to result.Num
	outages  []*result.Incident // in that time: the worst one, and others of its fault; empty if no outage decided
}

func find(r *result.Result) *findings {
	f := &findings{r: r}
	if in, _ := worstOutage(r); in != nil {
		f.blame(in)
	}
	for _, c := range causes(r) {
		if c.share >= mattering && !sameCause(c.in, f.in) && len(f.also) < mostCauses-1 &&
			!slices.ContainsFunc(f.also, func(in *result.Incident) bool { return sameCause(c.in, in) }) {
			f.also = append(f.also, c.in)
		}
	}
	f.from, f.to = f.span()
	for _, in := range f.own {
		f.from, f.to = min(f.from, in.Begin), max(f.to, in.End)
	}
	for i := range r.Incidents {
		if in := &r.Incidents[i]; f.in != nil && sameCause(in, f.in) && in.Begin <= f.to && in.End >= f.from {
			f.outages = append(f.outages, in)
		}
	}
	if !f.fewFailed() && requestsDecide(r) {
		f.first, f.often = f.firstOrMost()
	}
	return f
}

// firstOrMost returns the errors that came first in the time that decided a run. Of errors of a kind only the first of
// the whole run is known: errors that had been seen before this time may have come in it at any time. Then it returns
// the most frequent errors, and often is true, unless others came when this time began.
func (f *findings) firstOrMost() (first *result.ErrorGroup, often bool) {
	list := errorsIn(f.r, f.from, f.to, f.count)
	first = earliest(list)
	begin := f.from
	for _, in := range f.own {
		if in.BeginLow < begin { // it may be unknown
			begin = in.BeginLow
		}
	}
	earlier := func(e *result.ErrorGroup) bool { return e.First < begin-sameTime }
	if f.in == nil || len(list) < 2 || !earlier(first) {
		return first, false
	}
	most := slices.MaxFunc(list, func(a, b *result.ErrorGroup) int { return cmp.Compare(f.count(a), f.count(b)) })
	first = earliest(slices.DeleteFunc(list, earlier))
	if first != nil && intended(first) <= f.from+sameTime {
		return first, false
	}
	return most, true
}

// sameTime is the most by which two figures of one time differ, in seconds.
const sameTime result.Num = .001

// blame sets the outage that findings are about, with the fault that did it.
func (f *findings) blame(in *result.Incident) {
	f.in, f.fault, f.later, f.own = in, doneBy(f.r, in), nil, toldWith(f.r, in)
	if f.fault != nil {
		f.later = laterOutage(f.r, f.fault)
	}
	f.late = f.later == in
}

// last returns the last of the outages that are told as one.
func (f *findings) last() *result.Incident { return f.own[len(f.own)-1] }

// fewFailed reports whether only objectives on response times failed, there was no outage, and so few requests failed
// that they are under half of what each of these objectives leaves. The run then failed for its slow answers. Failed
// requests move no objective on good answers alone.
func (f *findings) fewFailed() bool {
	if f.in != nil || !f.failedByTimes() {
		return false
	}
	failed := int64(0)
	for i := range f.r.Errors {
		if e := &f.r.Errors[i]; !e.Part && !e.Init {
			failed += e.Count
		}
	}
	return !slices.ContainsFunc(f.r.Objectives, func(o result.ObjectiveResult) bool {
		return failedByValue(&o) &&
			(!o.Of().Latency() || o.Of().Of == "" && 2*float64(failed) >= (1-o.Of().Quantile)*float64(o.Count))
	})
}

// mostLost returns the span with the most lost writes or messages; nil without.
func mostLost(spans []result.LostSpan) (most *result.LostSpan) {
	for i := range spans {
		if s := &spans[i]; most == nil || s.Lost > most.Lost {
			most = s
		}
	}
	return most
}

// whatWasLost tells the largest loss of each ledger and delivery on whose losses an objective failed: when the writes
// or messages were acknowledged, which fault they were lost to, and of how many in all. Where no outage is told, it
// tells those faults before.
func (f *findings) whatWasLost() (points []Text) {
	var faults, lost []Text
	var told []string
	tell := func(s *result.LostSpan, all int64, most, noun, of string) {
		acked := ackedIn(s)
		if acked != "" {
			acked += ","
		}
		t := Text{}.say(Capitalize(most+Plural(s.Lost, noun, noun+"s")) + " of ").strong(Clean(of)).
			say(acked + pick(s.Lost > 1, " are", " is") + " gone")
		if who := lostTo(s.Fault, s.Faults); who != "" {
			t = t.say(", lost to ").strong(who)
		}
		if all > s.Lost {
			t = t.say("; " + most + Count(all) + " are gone in all")
		}
		lost = append(lost, t.say("."))
		if by := faultNamed(f.r, s.Fault); f.in == nil && by != nil && !slices.Contains(told, s.Fault) {
			faults, told = append(faults, f.faulted(by, nil, nil)), append(told, s.Fault)
		}
	}
	for _, l := range f.r.AllLedgers() {
		if s := mostLost(l.LostSpans); s != nil && lossesFailed(f.r, l) {
			tell(s, l.Lost, "", "write", l.Write)
		}
	}
	for _, d := range f.r.Deliveries {
		if s := mostLost(d.LostSpans); s != nil && messagesFailed(f.r, d) {
			tell(s, d.Lost, pick(d.Unreadable > 0, "at most ", ""), "message", d.Name)
		}
	}
	return append(faults, lost...)
}

// whatWasRead says what reads and writes of registers showed, and when, where an objective on them failed.
func (f *findings) whatWasRead() Text {
	for _, c := range f.r.Consistency {
		if len(c.Kinds) == 0 || !failedOn(f.r, func(o slo.Objective) bool { return ofRegisters(f.r, o, c) }) {
			continue
		}
		first, last := c.Kinds[0].First, c.Kinds[0].Last
		for _, k := range c.Kinds {
			first, last = min(first, k.First), max(last, k.Last)
		}
		return Text{}.say(Offset(first) + " to " + Offset(last) + ": reads and writes of ").strong(Clean(c.Name)).
			say(" show " + consistencyFinding(c) + duringFaults(f.r, first) + ".")
	}
	return nil
}

// duringFaults names the faults that were in at a time, and the faults that had left units down, as a clause; empty
// without.
func duringFaults(r *result.Result, at result.Num) string {
	var in, said []string
	for _, f := range faultsIn(r, at) {
		if !stillDown(f, at) {
			in = append(in, f.Name)
		}
	}
	if len(in) > 0 {
		said = append(said, Clean(Join(in))+pick(len(in) > 1, " were", " was")+" in")
	}
	if down := unitsDown(r, at); down != "" {
		said = append(said, down)
	}
	if len(said) == 0 {
		return ""
	}
	return "; " + Join(said) + " at " + Offset(at)
}

// span returns the time that decided a run: that of the worst outage, else that of the fault in which an objective
// failed, else the whole run.
func (f *findings) span() (from, to result.Num) {
	switch {
	case f.late:
		return f.fault.Injected, f.in.End
	case f.in != nil:
		return f.in.Begin, f.in.End
	}
	for i := range f.r.Objectives {
		o := &f.r.Objectives[i]
		if !failedByValue(o) || !o.Phase.OfFault() {
			continue
		}
		if by := faultNamed(f.r, o.Phase.String()); by != nil {
			return by.Injected, max(by.Cleared, by.Until)
		}
		if i := slices.IndexFunc(f.r.Phases, func(p result.Phase) bool { return p.Name == o.Phase }); i >= 0 { // after it
			return f.r.Phases[i].Start, f.r.Phases[i].End
		}
	}
	return result.Num(math.Inf(-1)), result.Num(math.Inf(1))
}

// count returns how many errors of a group the outages have that decided a run, or the run has without an outage.
func (f *findings) count(e *result.ErrorGroup) int64 { return countIn(f.outages, e) }

// countIn returns how many errors of a group incidents have. For errors of init, which no incident counts, and without
// incidents, it returns those of the run.
func countIn(list []*result.Incident, e *result.ErrorGroup) (n int64) {
	known := false
	for _, in := range list {
		known = known || in.Bad > 0 && failedIn(in) == 0
		for _, s := range in.Steps {
			if known = known || s.Kinds != nil; s.Load == e.Load && s.Step == e.Step {
				n += s.Kinds[e.Kind]
			}
		}
	}
	if !known || e.Init {
		return e.Count
	}
	return n
}

// firstErrors returns the errors of a span whose first request was intended first, of those that errorsIn returns.
func firstErrors(
	r *result.Result, from, to result.Num, count func(*result.ErrorGroup) int64,
) *result.ErrorGroup {
	return earliest(errorsIn(r, from, to, count))
}

// errorsIn returns the errors of a span that count counts. It leaves out errors of parts, and errors of init where
// there are others.
func errorsIn(
	r *result.Result, from, to result.Num, count func(*result.ErrorGroup) int64,
) []*result.ErrorGroup {
	var list, init []*result.ErrorGroup
	for i := range r.Errors {
		e := &r.Errors[i]
		switch {
		case e.Part || count(e) == 0 || !(e.First <= to && e.Last >= from): // a time may be unknown
		case e.Init:
			init = append(init, e)
		default:
			list = append(list, e)
		}
	}
	if len(list) == 0 { // a failed step of init skips all others
		return init
	}
	return list
}

// earliest returns the errors whose first request in the run was intended first; nil without errors.
func earliest(list []*result.ErrorGroup) *result.ErrorGroup {
	if len(list) == 0 {
		return nil
	}
	return slices.MinFunc(list, func(a, b *result.ErrorGroup) int { return cmp.Compare(intended(a), intended(b)) })
}

// intended returns when the first request of errors was intended, or ended if that is not known.
func intended(e *result.ErrorGroup) result.Num {
	if e.Sample != nil {
		return result.Num(e.Sample.At)
	}
	return e.First
}

// why returns the points that tell how a run came to its verdict.
func (f *findings) why() (title string, points []Text) {
	switch f.r.Verdict {
	case scenarios.Fail, scenarios.Stopped, scenarios.NotReverted:
		title = "Why it failed"
		points = f.whyFailed()
	case scenarios.Inconclusive:
		title = "Why it is not certain"
		points = f.whyOpen()
	case scenarios.Invalid:
		switch title = "Why it says nothing of the target"; f.r.Untried() {
		case result.NotStarted: // the sentence of the run says all
			return "", nil
		case result.BaselineFailed:
			title = "Why it was not judged"
		}
		points = f.whyOpen()
	default:
		return "", nil
	}
	if len(points) == 0 {
		return "", nil
	}
	return title, points
}

func (f *findings) whyFailed() (points []Text) {
	if broken, only := f.whatTracesLack(); broken != nil {
		if points = append(points, broken); only {
			return points
		}
	}
	outages := []func() Text{f.whatBroke, f.whatBrokeLater}
	for _, in := range f.also {
		outages = append(outages, func() Text { return f.whatBrokeToo(in) })
	}
	var rest []func() Text
	for _, t := range f.whatWasLost() {
		rest = append(rest, func() Text { return t })
	}
	rest = append(rest, f.whatWasRead, f.whatFailedFirst)
	list := slices.Concat([]func() Text{f.whatHeldBack}, outages, rest, []func() Text{
		f.afterwards, f.whatMultiplied, f.whatGrew, f.slowdown, f.whatWasSlow,
	})
	if f.in != nil && f.overloadedFrom(f.in.Begin) { // the cause comes before the outage
		list = slices.Concat([]func() Text{f.whatHeldBack, f.whatGrew}, outages, rest, []func() Text{
			f.whatMultiplied, f.whatWasSlow,
		})
	}
	for _, point := range list {
		if t := point(); t != nil && len(points) < mostPoints+len(f.also) {
			points = append(points, t)
		}
	}
	if len(f.r.Reasons) > 1 && f.r.Reasons[1].Kind == result.BaselineFailed {
		why := Clean(f.r.Reasons[1].Text)
		points = append(points, Text{}.say("The baseline failed, so that no fault was injected: "+why+"."))
	}
	return append(points, f.whatElseFailed()...)
}

// whatElseFailed names the failed objectives that no other point is about: requests decide none of them, nor do lost
// writes. A single one is in the sentence of the run.
func (f *findings) whatElseFailed() (points []Text) {
	if countObjectives(f.r, func(o *result.ObjectiveResult) bool { return o.Verdict == scenarios.Fail }) < 2 {
		return nil
	}
	for i := range f.r.Objectives {
		o := &f.r.Objectives[i]
		metric := o.Of()
		row := metric.Row()
		if o.Verdict != scenarios.Fail || metric.OfRequests() || metric.OfTraces() || row.OfLosses ||
			row.Effect != nil || row.Registers != nil {
			continue
		}
		points = append(points, Text{}.say(syntax.Sentence(missedObjective(o))))
	}
	return points[:min(len(points), mostPoints)]
}

// heldBack returns the load whose limit of iterations in flight made its requests wait in brunt; nil if none is shown
// to have done so. The scenario sets the limit, every place was taken, and brunt itself was not late. In an outage of a
// fault any limit is reached.
func (f *findings) heldBack() *result.LoadInfo {
	g := &f.r.Generator
	if len(f.r.Loads) != 1 || f.fault != nil || !requestsDecide(f.r) || !g.Healthy || g.Queue.P99 < waitsLong {
		return nil
	}
	if l := &f.r.Loads[0]; !l.Closed && l.MaxInFlight > 0 && g.InFlightMax >= int64(l.MaxInFlight) {
		return l
	}
	return nil
}

// waitsLong is a wait in brunt that matters, in seconds.
const waitsLong = .1

// whatHeldBack says that requests waited in brunt, which comes before what their answers tell.
func (f *findings) whatHeldBack() Text {
	l := f.heldBack()
	if l == nil {
		return nil
	}
	return Text{}.say("The requests of load " + Clean(l.Name) + " waited in brunt, up to ").
		strong(Seconds(f.r.Generator.Queue.P99)).say(" for 99% of them: " +
		"all " + Count(int64(l.MaxInFlight)) + " that its max_in_flight allows were in flight.")
}

// whatMultiplied says which calls a fault multiplied, unless the run failed for something else.
func (f *findings) whatMultiplied() Text {
	decides := requestsDecide(f.r) || failedOn(f.r, func(o slo.Objective) bool { return o.Metric.OfLink() })
	if said := Multiplied(f.r); decides && len(said) > 0 {
		return Text{}.say(said[0])
	}
	return nil
}

// whatTracesLack says what the traces lack for which an objective failed; only is true if no other objective failed, so
// that no outage explains the failure.
func (f *findings) whatTracesLack() (t Text, only bool) {
	only = true
	for i := range f.r.Objectives {
		if o := &f.r.Objectives[i]; failedByValue(o) {
			if !o.Of().OfTraces() {
				only = false
			} else if f.r.Traces != nil {
				t = Text{}.say(TraceSummary(f.r.Traces))
			}
		}
	}
	return t, only
}

// whatBroke says when the worst outage began, what a fault did then, and when that was over.
func (f *findings) whatBroke() Text {
	switch {
	case f.in == nil:
		return nil
	case f.fault == nil:
		return f.began(f.in)
	}
	own := Text{}
	if list := outagesOf(f.r, f.fault); f.late && !late(f.r, list[0], f.fault) {
		own = own.say("; " + extent(f.r, sumOf(list)) + " for ").strong(lengthOf(list))
	}
	return f.faulted(f.fault, f.own, own)
}

// whatBrokeToo tells of another outage that counts against the failed objectives.
func (f *findings) whatBrokeToo(in *result.Incident) Text {
	if by := doneBy(f.r, in); by != nil {
		if late(f.r, in, by) {
			return f.brokeLater(in, by, f.part([]*result.Incident{in}))
		}
		return f.faulted(by, toldWith(f.r, in), nil)
	}
	return f.began(in)
}

// began says when an outage began that no fault is shown to have done, and what was in then.
func (f *findings) began(in *result.Incident) Text {
	return Text{}.say(Offset(in.Begin) + ": " + extent(f.r, in) + " for ").strong(incidentLength(in)).
		say(f.part([]*result.Incident{in}) + howItBegan(f.r, in) + ".")
}

// howItBegan says with what an outage began that no fault is shown to have done, as a clause: a unit that ended,
// faults that may have done it, or none.
func howItBegan(r *result.Result, in *result.Incident) string {
	if ended := begunBy(r, in); ended != "" {
		return ended
	}
	if len(in.Faults) > 0 {
		return "; " + whenItBegan(r, in) + ", and what did it is not known" +
			endsClause(endsNear(r, in))
	}
	return "; " + wasInThen(r, in) + endedLater(r, in)
}

// unblamed tells the worst outage that no fault is shown to have done; empty without.
func unblamed(r *result.Result) string {
	worst, n := r.Unblamed()
	if worst == nil {
		return ""
	}
	text := "at " + Offset(worst.Begin) + " " + extent(r, worst) + " for " + incidentLength(worst) + howItBegan(r, worst)
	if n > 1 {
		text += "; " + Plural(n-1, "more outage", "more outages")
	}
	return text
}

// cutOnPass says how many requests brunt cut off in a run that passed, as a clause; empty without.
func cutOnPass(r *result.Result) string {
	n, all := r.CutOff()
	if n == 0 {
		return ""
	}
	return "; brunt cut off " + Count(n) + " of " + Count(all) + " requests at the end, and whether they would have been " +
		"answered is unknown"
}

// faulted says when the fault of outages was injected, what it did, with a clause on an outage before them, and when it
// was over.
func (f *findings) faulted(by *result.FaultRecord, list []*result.Incident, before Text) Text {
	t := Text{}.say(Offset(by.Injected) + ": ")
	t = append(append(t, faultClause(f.r, by)...), before...).say(eachOutage(list) + f.part(list))
	t = t.say(endedUnder(f.r, by, result.Num(math.Inf(-1)), result.Num(math.Inf(1))))
	end := "."
	if len(list) > 0 && list[len(list)-1].Evidence == result.ByRevert {
		end = pick(len(list) > 1, ", which began the last one.", ", which began the outage.")
	}
	if linked(by) || len(by.Units) == 0 || verbOf(by) == "" {
		return t.say(over(by, "over") + end)
	}
	if onlyReplica(f.r, by) == "" {
		if _, hit, all := replicas(f.r, by); hit < all {
			t = t.say(", " + Int(int64(hit)) + " of " + Int(int64(all)) + " replicas")
		}
	}
	if leftEnded(f.r, by) != nil {
		return t.say("; not back by the end" + end)
	}
	return t.say(over(by, "back") + end)
}

// eachOutage says how long each of several outages of a fault lasted, as a clause; empty for one.
func eachOutage(list []*result.Incident) string {
	if len(list) < 2 {
		return ""
	}
	var each []string
	for _, in := range list {
		each = append(each, lengthFrom(in))
	}
	if left := len(each) - 3; left > 0 {
		each = append(each[:3], Int(int64(left))+" more")
	}
	return "; " + Int(int64(len(list))) + " outages, of " + Join(each)
}

// part says how many of all requests that failed did so in outages, as a clause, where outages of several causes
// matter.
func (f *findings) part(list []*result.Incident) string {
	run := PhaseRowOf(f.r, slo.Phase{Kind: slo.RunPhase})
	if len(f.also) == 0 || run == nil || len(list) == 0 {
		return ""
	}
	failed := failedIn(sumOf(list))
	if failed == 0 || failed > run.Bad {
		return ""
	}
	return ", with " + Count(failed) + " of all " + Count(run.Bad) + " failed requests"
}

// whatBrokeLater tells of the outage that came after the fault of the worst one was over.
func (f *findings) whatBrokeLater() Text {
	if f.later == nil {
		return nil
	}
	return f.brokeLater(f.later, f.fault, "")
}

// brokeLater tells of an outage that came after its fault was over, with a clause on its part of all failed requests.
func (f *findings) brokeLater(in *result.Incident, by *result.FaultRecord, part string) Text {
	return Text{}.say(Offset(in.Begin) + ": " + extent(f.r, in) + " for ").strong(incidentLength(in)).
		say(", " + Seconds(sinceFault(by, in.Begin)) + " after " + Clean(by.Name) + wasOver(by) + part +
			begunBy(f.r, in) + ".")
}

// whenItBegan says which faults of an outage were in when it began, and which were over, but not for long enough to
// rule them out.
func whenItBegan(r *result.Result, outage *result.Incident) string {
	var out []string
	in, after := faultsAt(r, outage)
	if len(in) > 0 {
		out = append(out, Clean(Join(in))+pick(len(in) > 1, " were in", " was in"))
	}
	if len(after) > 0 {
		out = append(out, Clean(Join(after))+pick(len(after) > 1,
			" were over, but are not ruled out", " was over, but is not ruled out"))
	}
	return strings.Join(out, "; ")
}

// over says when a fault was over or its unit back.
func over(f *result.FaultRecord, what string) string {
	switch {
	case f.StaysDown:
		return "; nothing starts " + pick(f.Kind == result.GroupKind, Clean(Join(leftDown(f))), "it") + " again"
	case !f.Cleared.Known():
		return "; not " + what + " by the end"
	}
	return "; " + what + " at " + Offset(f.Cleared)
}

// whatFailedFirst names the step that failed first, or most often where that is not known, with its errors, and what
// was skipped as a result.
func (f *findings) whatFailedFirst() Text {
	e := f.first
	if e == nil {
		return nil
	}
	t := Text{}.strong(stepName(e)).say(pick(f.often, " failed: ", " failed first: ") + f.counted(e))
	then := f.then()
	if then != nil {
		t = t.say(pick(f.often, ", and ", ", then ") + f.counted(then))
	}
	if f.in == nil {
		t = t.say(", the first was seen at " + Offset(e.First))
	}
	t = t.say(".")
	var most *result.ErrorGroup
	skipped := f.skipped()
	all := int64(0)
	for i := range skipped {
		s := &skipped[i]
		if s.Load != e.Load {
			continue
		}
		all += s.Count
		if most == nil || s.Count > most.Count {
			most = s
		}
	}
	other := f.otherStep()
	skippedForIt := most != nil && all == most.Count && most.Step == e.Step
	fewBefore := most == nil && then == nil && other != nil && 20*f.count(e) < f.count(other)
	if other != nil && (skippedForIt || fewBefore) {
		t = t.say(pick(f.often, " ", " Then ")).strong(stepName(other)).say(" failed: " + f.counted(other) + ".")
	}
	switch {
	case most == nil:
		return t
	case all == most.Count:
		return t.say(" " + Count(all) + " of ").strong(stepName(most)).say(pick(all > 1, " were", " was") +
			" skipped as a result.")
	}
	return t.say(" " + Count(all) + " requests of later steps were skipped as a result.")
}

// then returns the most frequent other errors of the step that failed first; nil if they are few beside the first ones.
func (f *findings) then() *result.ErrorGroup {
	return f.mostErrors(func(e *result.ErrorGroup) bool {
		return e.Step == f.first.Step && e.Kind != f.first.Kind && 5*f.count(e) >= f.count(f.first)
	})
}

// otherStep returns the most frequent errors of another step than the one that failed first.
func (f *findings) otherStep() *result.ErrorGroup {
	return f.mostErrors(func(e *result.ErrorGroup) bool { return e.Step != f.first.Step })
}

// mostErrors returns the most frequent errors that are meant, of those in the span that decided the run and in the load
// that failed first; nil if it has no such errors.
func (f *findings) mostErrors(meant func(e *result.ErrorGroup) bool) (most *result.ErrorGroup) {
	for i := range f.r.Errors {
		e := &f.r.Errors[i]
		if e.Load == f.first.Load && !e.Part && !e.Init && e.First <= f.to && e.Last >= f.from && meant(e) &&
			f.count(e) > 0 && (most == nil || f.count(e) > f.count(most)) {
			most = e
		}
	}
	return most
}

// skipped returns the steps that were skipped, and how often, in the outages that decided a run, or in the run without
// an outage.
func (f *findings) skipped() (list []result.ErrorGroup) {
	known := false
	for _, in := range f.outages {
		known = known || len(in.Steps) > 0
		for _, s := range in.Steps {
			i := slices.IndexFunc(list, func(g result.ErrorGroup) bool { return g.Load == s.Load && g.Step == s.Step })
			switch {
			case s.Skipped == 0:
			case i < 0:
				list = append(list, result.ErrorGroup{Load: s.Load, Step: s.Step, Count: s.Skipped})
			default:
				list[i].Count += s.Skipped
			}
		}
	}
	if !known {
		return Skipped(f.r)
	}
	return list
}

// counted says how often an error was seen, and what the target said.
func (f *findings) counted(e *result.ErrorGroup) string {
	return Count(f.count(e)) + " × " + caused(e)
}

// caused names a kind of error, and quotes what the target said with it.
func caused(e *result.ErrorGroup) string {
	s := Clean(e.Kind)
	if said := targetSaid(e.Sample); said != "" {
		s += " “" + said + "”"
	}
	return s
}

func stepName(e *result.ErrorGroup) string { return Clip(Clean(e.Step), 60) }

// afterwards says how much of an outage came after the fault was over.
func (f *findings) afterwards() Text {
	lasted := f.afterTheEnd()
	if !(lasted > 0) {
		return nil
	}
	t := Text{}.strong(Seconds(lasted)).
		say(" of the " + Seconds(lastedTogether(f.own)) + " came after " + whatIsBack(f.fault))
	if e := f.waiting(); e != nil {
		t = t.say(", likely with a circuit breaker still open (").code("Retry-After: " + retryAfter(e.Sample)).say(")")
	}
	return t.say(".")
}

// afterTheEnd returns how much of the worst outage, and of those that are told with it, came after their fault was
// over, in seconds; it is not above zero if that is not known, or too little to matter, or if another fault was
// injected meanwhile. Of an outage that the end of the fault began, all came after it.
func (f *findings) afterTheEnd() (after result.Num) {
	if f.fault == nil || f.late || f.in.Evidence == result.ByRevert || !f.fault.Cleared.Known() || f.fault.StaysDown ||
		!f.last().Over || injectedIn(f.r, f.own, f.fault) > 0 {
		return 0
	}
	for _, in := range f.own {
		after += max(0, in.End-max(f.fault.Cleared, in.Begin))
	}
	if after < .1 || after < lastedTogether(f.own)/20 {
		return 0
	}
	return after
}

// waitsOn is the least time in seconds for which answers ask the client to wait after a fault was over, from which on
// they tell of a breaker that is open and not of a service that starts.
const waitsOn = 1

// waiting returns the most frequent errors by which the target refused requests and asked the client to wait, of the
// outages that are told as one, and that went on after their fault was over. It returns nil if they came before these
// outages too, as those of a limit on rates do, or if all such errors are under a fifth of the requests that failed.
func (f *findings) waiting() (most *result.ErrorGroup) {
	if !(f.afterTheEnd() >= waitsOn) {
		return nil
	}
	all := int64(0)
	for i := range f.r.Errors {
		e := &f.r.Errors[i]
		if e.Sample == nil || e.Sample.Status != 503 || retryAfter(e.Sample) == "" || e.Last <= f.fault.Cleared ||
			e.First < f.own[0].Begin || e.First > f.last().End {
			continue
		}
		if all += countIn(f.own, e); most == nil || countIn(f.own, e) > countIn(f.own, most) {
			most = e
		}
	}
	if sum := sumOf(f.own); 5*all < failedIn(sum)-sum.Kinds[notMade] {
		return nil
	}
	return most
}

// retryAfter returns the value of the header Retry-After of an answer; empty without one.
func retryAfter(s *result.Sample) string {
	for name, value := range s.Headers {
		if strings.EqualFold(name, "Retry-After") {
			return Clip(Clean(value), 40)
		}
	}
	return ""
}

// whatGrew says that more and more iterations were in flight.
func (f *findings) whatGrew() Text {
	if !requestsDecide(f.r) {
		return nil
	}
	if from, last := fellBehind(f.r); from != nil {
		return Text{}.say(Offset(from.T) + ": the target fell behind at about ").strong(offeredRate(from)).
			say(": in flight grew from " + Count(from.InFlight) + " to " + Count(last.InFlight) + " by the end of the load.")
	}
	before, now, grew := inFlightGrowth(f.r)
	if !grew {
		return nil
	}
	return Text{}.say("More and more was in flight: " + Count(before) + " iterations at the begin and ").
		strong(Count(now)).say(" at the end, at the same rate.")
}

// whatWasSlow says where the time went of the step that an objective on response times failed for.
func (f *findings) whatWasSlow() Text {
	for i := range f.r.Objectives {
		o := &f.r.Objectives[i]
		def, ok := o.Asks()
		if !failedByValue(o) || !ok || !o.Of().Latency() || !o.Measured.Known() {
			continue
		}
		t := Text{}
		var by *result.FaultRecord
		if o.Phase.Kind == slo.FaultPhase { // slow answers after a fault are others than those while it was in
			by = faultNamed(f.r, o.Phase.String())
		}
		switch {
		case by == nil:
		case slowerDuring(by), // something else may have done it
			by.Impact == result.Confounded && by.Parts.Slower().Answer == result.Yes:
			return t.say("During ").strong(Clean(by.Name)).say(" " + slowingOf(f.r, by).clause(" were ") + ": " +
				slowerText(f.r, by) + ".")
		case by.Parts.Slower().Answer == result.Yes:
			return t.strong(Clean(by.Name)).say(" made " + slowingOf(f.r, by).clause(" ") + ": " + slowerText(f.r, by) + ".")
		}
		for _, c := range StepTimings(f.r) {
			if c.Load == "*" || def.Step != "" && c.Step != def.Step {
				continue
			}
			rows := TimingRows(c.Timings)
			most := slices.MaxFunc(append(rows, TimingRow{}), func(a, b TimingRow) int { return cmp.Compare(a.Share, b.Share) })
			if most.Share >= .5 {
				return t.say(wholePercent(most.Share) + " of the time of ").strong(TimedStep(c)).
					say(" went into " + timingWords[most.Phase] + ".")
			}
		}
	}
	return nil
}

// timingWords name the phases of a request in a sentence.
var timingWords = [scenarios.RequestPhases]string{
	"waiting for a connection", "looking up the name", "connecting", "TLS", "logging in", "sending the request",
	"waiting for the first byte of the answer", "receiving the answer",
}

// noBaseline reports whether no request ended before the first fault, which therefore was not injected.
func (f *findings) noBaseline() bool {
	return f.badBaseline() && !f.r.TargetFailed()
}

// badBaseline reports whether requests failed, or none ended, before the first fault, which therefore was not injected.
func (f *findings) badBaseline() bool {
	return f.r.Untried() == result.BaselineFailed
}

// uninjected reports whether an objective is open because no fault was injected, as the reason of the run says.
func (f *findings) uninjected(o *result.ObjectiveResult) bool {
	return len(f.r.Reasons) > 0 && f.r.Reasons[0].Refused() && o.Because.Has(result.PhaseAbsent, result.FaultAbsent)
}

// whyOpen gives the reasons of objectives that are not certain, other than the one in the sentence of the run.
func (f *findings) whyOpen() (points []Text) {
	if f.fault == nil && f.endedItself() {
		points = append(points, f.began(f.in))
	}
	said := 0
	if len(f.r.Reasons) > 0 {
		said = f.r.Reasons[0].Objective
	}
	for i := range f.r.Objectives {
		o := &f.r.Objectives[i]
		if o.Verdict != scenarios.Inconclusive && o.Verdict != scenarios.Invalid || o.Note == "" || i+1 == said ||
			f.noBaseline() && len(o.Because) > 0 && o.Because[0].Kind == result.RequestsNone || f.uninjected(o) {
			continue
		}
		points = append(points, Text{}.strong(ObjectiveTitle(o)).say(": "+strings.TrimSuffix(ObjectiveNote(o), ".")+"."))
	}
	if t := f.whatFailedFirst(); t != nil {
		points = append(points, t)
	}
	return points[:min(len(points), mostPoints)]
}

// mostQuoted bounds the quoted part of an answer of the target, in columns.
const mostQuoted = 90

// targetSaid returns what the target said in a failed answer, in its own words: the message in a body of JSON, the
// title of a page, or the beginning of the text. It is empty if there was no answer with a body, or a page without a
// title.
func targetSaid(s *result.Sample) string {
	if s == nil || s.Body == "" {
		return ""
	}
	body := strings.TrimSpace(s.Body)
	var fields map[string]any
	if strings.HasPrefix(body, "{") && json.Unmarshal([]byte(body), &fields) == nil {
		for _, key := range []string{"error", "message", "detail", "title", "msg", "reason"} {
			if text := message(fields[key]); text != "" {
				return Clip(Clean(text), mostQuoted)
			}
		}
	}
	if m := pageTitle.FindStringSubmatch(body); m != nil && len(m[1]) <= mostTitle {
		return Clip(Clean(strings.TrimSpace(m[1])), mostQuoted)
	}
	if m := cutTitle.FindStringSubmatch(body); m != nil { // the sample of the body ends within it
		return Clip(Clean(strings.TrimSpace(m[1])), mostQuoted)
	}
	if page.MatchString(body) { // its markup says nothing
		return ""
	}
	line, _, _ := strings.Cut(body, "\n")
	return Clip(Clean(strings.TrimSpace(line)), mostQuoted)
}

// message returns the text of a field of a body: a text, or the message within an object.
func message(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		text, _ := v["message"].(string)
		return text
	}
	return ""
}

var (
	pageTitle = regexp.MustCompile(`(?is)<title[^>]*>([^<]+)</title>`)
	cutTitle  = regexp.MustCompile(`(?is)<title[^>]*>([^<]+)$`)
	page      = regexp.MustCompile(`(?i)^(<!doctype html|<html|<\?xml)`)
)

// mostTitle is the maximum length in bytes of a page's title. A count in the pattern would cost each start of brunt
// 5 ms.
const mostTitle = 400
