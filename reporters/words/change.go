package words

import (
	"cmp"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A changeRule gives advice where the data of a run shows what would help.
type changeRule struct {
	name   string
	each   bool                    // it is about one outage, and is asked about each one that is named as a cause
	asks   func(*findings) bool    // whether the rule is for such a run; nil: for every one that did not pass
	advise func(*findings) *Advice // nil if the rule has nothing to say of the run
}

// How often a [changeRule] is asked.
const (
	once     = false
	perCause = true
)

// changeRules are the rules of [Answer.Change], the most useful first. A rule looks at typed data alone, and speaks of
// units, steps and loads by the names that the scenario gives them.
func changeRules() []changeRule {
	return []changeRule{
		{"in-flight-limit", once, nil, moreInFlight},
		{"capacity", once, (*findings).byRequests, moreCapacity},
		{"busy-machine", once, func(f *findings) bool {
			return f.starved() && !f.unexplained() && !f.endedItself()
		}, quietMachine},
		{"lost-writes", once, (*findings).failed, surerWrites},
		{"lost-messages", once, (*findings).failed, surerMessages},
		{"duplicates", once, (*findings).failed, onlyOnce},
		{"order", once, (*findings).failed, oneByOne},
		{"unseen-writes", once, (*findings).failed, seenWrites},
		{"unequal-members", once, (*findings).failed, equalMembers},
		{"anomalies", once, (*findings).failed, linearizable},
		{"changed", once, (*findings).failed, whatChanged},
		{"own-end", perCause, (*findings).endedItself, lookAtEnd},
		{"only-replica", perCause, (*findings).whileIn, secondReplica},
		{"only-process", perCause, (*findings).whileIn, secondProcess},
		{"dead-replica", perCause, (*findings).whileIn, avoidReplica},
		{"failover", perCause, (*findings).whileIn, shorterFailover},
		{"hand-over", perCause, (*findings).whileIn, handOver},
		{"breaker", perCause, (*findings).whileIn, soonerBreaker},
		{"dead-peer", perCause, (*findings).whileIn, deadPeer},
		{"rejoin", perCause, (*findings).outage, softerReturn},
		{"relapse", perCause, (*findings).outage, lookAtRelapse},
		{"client-timeout", once, (*findings).failed, shorterTimeout},
		{"lost-datagrams", once, (*findings).failed, surerDatagrams},
		{"slow-link", once, (*findings).failed, boundedCalls},
		{"client-link", once, (*findings).failed, fewerCrossings},
		{"client-errors", perCause, (*findings).whileIn, secondTry},
		{"memory", once, (*findings).byRequests, moreMemory},
		{"accept-queue", once, (*findings).byRequests, longerQueue},
		{"cpu", once, (*findings).byRequests, moreProcessor},
		{"queue", once, (*findings).byRequests, boundedQueue},
		{"slowdown", once, (*findings).failed, lookAtSlowdown},
		{"first-step", once, func(f *findings) bool { return f.failed() || f.badBaseline() }, firstStep},
		{"busy-machine", once, func(f *findings) bool {
			return f.starved() && f.unexplained() && !f.endedItself()
		}, quietMachine},
		{"no-traffic", once, nil, someTraffic},
		{"unverified", once, nil, tryAlone},
		{"own-core", once, nil, ownCore},
		{"more-requests", once, nil, moreRequests},
	}
}

// change returns the advice on a run that did not pass.
func (f *findings) change() (title string, list []Advice) {
	switch f.r.Verdict {
	case scenarios.Fail, scenarios.Stopped:
		title = "What to change"
	case scenarios.Inconclusive, scenarios.Invalid:
		title = "What to do next"
	default:
		return "", nil
	}
	causes := f.causes()
	var of [][]*findings // the causes that each piece of advice is about; none if it is about the run
	for _, rule := range changeRules() {
		asked := causes[:1]
		if rule.each {
			asked = causes
		}
		for _, g := range asked {
			if rule.asks != nil && !rule.asks(g) {
				continue
			}
			a := rule.advise(g)
			if a == nil {
				continue
			}
			at := slices.IndexFunc(list, func(b Advice) bool { return slices.Equal(b.Text, a.Text) })
			switch {
			case at < 0 && len(list) == mostPoints:
				continue
			case at < 0:
				a.Rule = rule.name
				at, list, of = len(list), append(list, *a), append(of, nil)
			}
			if rule.each {
				of[at] = append(of[at], g)
			}
		}
	}
	if len(list) == 0 {
		return "", nil
	}
	nameCauses(list, of)
	return title, list
}

// causes returns the findings about each outage that is named as a cause, the worst first; f itself is the first.
func (f *findings) causes() []*findings {
	list := []*findings{f}
	for _, in := range f.also {
		if slices.ContainsFunc(list, func(g *findings) bool { return sameCause(g.in, in) }) {
			continue
		}
		g := *f
		g.blame(in)
		g.outages = g.own
		list = append(list, &g)
	}
	return list
}

// nameCauses adds the names of faults to the advice on their outages, if not all of it is about the same faults. It
// leaves out a name that the advice has.
func nameCauses(list []Advice, of [][]*findings) {
	about := slices.DeleteFunc(slices.Clone(of), func(g []*findings) bool { return g == nil })
	if !slices.ContainsFunc(about, func(g []*findings) bool { return !slices.Equal(g, about[0]) }) {
		return
	}
	for i := range list {
		var names []string
		for _, g := range of[i] {
			if g.fault != nil && list[i].Rule != "own-end" {
				names = append(names, Clean(g.fault.Name))
			}
		}
		text := list[i].Text
		if len(names) == 0 || slices.ContainsFunc(text, func(s Span) bool { return s.Text == names[0] }) {
			continue
		}
		first := text[0]
		first.Text = strings.ToLower(first.Text[:1]) + first.Text[1:]
		list[i].Text = append(append(Text{}.say("For ").strong(Join(names)).say(": "), first), text[1:]...)
	}
}

// failed reports whether the run failed, so that the target has something to change.
func (f *findings) failed() bool {
	return f.r.Verdict == scenarios.Fail || f.r.Verdict == scenarios.Stopped
}

// byRequests reports whether the run failed, and requests or figures of units may be why.
func (f *findings) byRequests() bool {
	return f.failed() &&
		(requestsDecide(f.r) || failedOn(f.r, func(o slo.Objective) bool { return o.Metric.OfSeries() }))
}

// outage reports whether the run failed with an outage that a fault did.
func (f *findings) outage() bool {
	return f.byRequests() && f.fault != nil && !(f.late && f.endedItself())
}

// whileIn reports whether the run failed with an outage that began while its fault was in. What cures the absence of a
// unit does not cure the harm of its return, nor a relapse.
func (f *findings) whileIn() bool {
	return f.outage() && !f.late && f.in.Evidence != result.ByRevert && !f.fault.OverBefore(f.in.Begin)
}

// endedItself reports whether a unit ended by itself when an outage began: the worst one that no fault did, or one that
// came after the fault of the worst one was over; or whether a unit ended while that fault was on it, for good.
func (f *findings) endedItself() bool { return f.ownEnd() != nil }

// ownEnd returns the event of the unit that ended; nil without.
func (f *findings) ownEnd() *result.Event {
	switch {
	case !f.failed() && !f.badBaseline():
		return nil
	case f.later != nil:
		return endAt(f.r, f.later)
	case f.in != nil && f.fault == nil:
		if e := endAt(f.r, f.in); e != nil {
			return e
		}
		if near := endsNear(f.r, f.in); len(near) > 0 {
			return near[0]
		}
	case f.in != nil:
		return leftEnded(f.r, f.fault)
	}
	return nil
}

// lookAtEnd speaks where a unit ended by itself, or for good while a fault was on it.
func lookAtEnd(f *findings) *Advice {
	e := f.ownEnd()
	t := inLog(f.r, e.Unit, Text{}.say("Look at the output of ").strong(Clean(e.Unit)).say(" around ").strong(Offset(e.T)))
	_, itself := f.r.OwnEnd(e)
	return &Advice{Text: t.say(", for why it " + endedSo(f.r, e) + pick(itself, ": no fault was on it.", "."))}
}

// inLog adds the file with the output of a unit to a text, if the run has it.
func inLog(r *result.Result, unit string, t Text) Text {
	if i := slices.IndexFunc(r.Logs, func(l result.UnitLog) bool { return l.Unit == unit }); i >= 0 {
		return t.say(", in ").code(Clean(r.Logs[i].File))
	}
	return t
}

// softerReturn speaks where the end of a fault began the outage.
func softerReturn(f *findings) *Advice {
	if f.in.Evidence != result.ByRevert {
		return nil
	}
	span, units := clockSpan(f.r, f.in.Begin, f.in.End), f.fault.Units
	if linked(f.fault) || len(units) != 1 || !f.fault.Nature.Away() || verbOf(f.fault) == "" {
		return &Advice{Text: Text{}.say("Look at the logs and metrics of the target from ").strong(span).
			say(": the outage of " + incidentLength(f.in) + " began when ").strong(Clean(f.fault.Name)).say(" ended.")}
	}
	t := Text{}.say("Let ").strong(Clean(units[0])).say(" catch up before it serves" +
		pick(onlyReplica(f.r, f.fault) == "", ", and without holding up the others", "") + ": the outage of " +
		incidentLength(f.in) + " began when ").strong(Clean(f.fault.Name)).
		say(" ended, so likely with its return. Look at its output from ").strong(span)
	return &Advice{Likely: true, Text: inLog(f.r, units[0], t).say(".")}
}

// lookAtRelapse speaks where an outage began well after its fault was over.
func lookAtRelapse(f *findings) *Advice {
	if f.later == nil || f.endedItself() {
		return nil
	}
	return &Advice{Text: Text{}.say("Look at the logs and metrics of the target from ").
		strong(clockSpan(f.r, f.later.Begin, f.later.End)).say(": " + extent(f.r, f.later) + " then, " +
		Seconds(sinceFault(f.fault, f.later.Begin)) + " after ").strong(Clean(f.fault.Name)).say(wasOver(f.fault) + ".")}
}

// clockSpan says from when to when something was, by the clock in UTC, which logs have, where the begin of the run is
// known.
func clockSpan(r *result.Result, from, to result.Num) string {
	if r.T0.IsZero() {
		return Offset(from) + " to " + Offset(to)
	}
	at := func(n result.Num) string { return r.T0.Add(n.D()).UTC().Format("15:04:05") }
	return at(from) + " to " + at(to) + " UTC"
}

// starved reports whether brunt was late on a machine whose processors were in demand nearly all the time, while
// requests failed that no fault is shown to have failed, or answers before the faults were too slow. The run may be
// invalid for that. It also reports an objective that other programs leave undecided. The target may then have lacked a
// processor as brunt did, unless it refused nearly all requests.
func (f *findings) starved() bool {
	if f.refused() {
		return false
	}
	return countObjectives(f.r, openByMachine) > 0 || f.noBaseline() && len(f.r.Generator.Held()) > 0 ||
		(f.failed() || f.r.Verdict == scenarios.Invalid) && f.fault == nil &&
			!f.r.Generator.Healthy && f.r.Generator.Pressure >= busyMachine &&
			(f.in != nil || slices.ContainsFunc(f.r.Objectives, func(o result.ObjectiveResult) bool {
				return o.Verdict == scenarios.Fail && o.Of().Latency() &&
					(o.Phase.Kind == slo.BaselinePhase || len(f.r.Faults) == 0)
			}))
}

// refused reports whether nearly all requests failed with an answer, which no want of a processor does.
func (f *findings) refused() bool {
	answered := int64(0)
	for _, e := range f.r.Errors {
		if e.Sample != nil && e.Sample.Status > 0 && e.Kind != scenarios.Timeout.String() {
			answered += e.Count
		}
	}
	return answered > 0 && float64(answered) >= nearlyAll*float64(f.r.Generator.Offered)
}

// unexplained reports whether most requests that failed did so in a way that no wait for a processor explains, and
// enough failed to matter.
func (f *findings) unexplained() bool { return f.first != nil && f.r.FailedBeyondTimeouts() }

// moreInFlight speaks where a limit of iterations in flight made requests wait in brunt.
func moreInFlight(f *findings) *Advice {
	l := f.heldBack()
	if l == nil {
		return nil
	}
	more := Count(10 * int64(l.MaxInFlight))
	return &Advice{
		Likely: true,
		Text: Text{}.say("Raise ").code("max_in_flight").say(" of " + Clean(l.Name) + " from " +
			Count(int64(l.MaxInFlight)) + ", to ").strong(more).say(" for example, unless real clients have such a limit: the " +
			"wait likely comes from it, and not from the target."),
		Command: tryCommand(f.r, l.Name+".max_in_flight", strconv.Itoa(10*l.MaxInFlight)),
	}
}

// quietMachine speaks where the machine itself may be why requests failed. Errors that the target itself answered do
// not tell that it lacked a processor.
func quietMachine(f *findings) *Advice {
	t := Text{}.say("Run it again on a quiet machine: tasks waited for a processor ").
		strong(wholePercent(float64(f.r.Generator.Pressure))).say(" of the time")
	if f.unexplained() && f.first.Sample != nil && f.first.Sample.Status > 0 {
		return &Advice{Text: t.say(".")}
	}
	return &Advice{Likely: true, Text: t.say(", so likely the target lacked one too.")}
}

// whatChanged speaks where the run before passed, and the scenario differs from that of the run before. The difference
// is no proof that it did the harm.
func whatChanged(f *findings) *Advice {
	if len(f.r.Earlier) == 0 {
		return nil
	}
	e := &f.r.Earlier[len(f.r.Earlier)-1]
	if e.Verdict != scenarios.Pass || len(e.Changed) == 0 {
		return nil
	}
	t := Text{}.say("Look first at what changed since the last run, which passed: ")
	for i, c := range e.Changed[:min(len(e.Changed), 2)] {
		kind, name := settingName(&c)
		t = t.say(pick(i == 0, "", "; ") + kind).code(name)
		switch {
		case c.Before == "":
			t = t.say(" is new: ").strong(settingValue(c.Now))
		case c.Now == "":
			t = t.say(" was " + settingValue(c.Before) + ", and is not set now")
		default:
			t = t.say(" is ").strong(settingValue(c.Now)).say(", and was " + settingValue(c.Before))
		}
	}
	if len(e.Changed) > 2 || e.ChangedMore {
		t = t.say("; and more differs")
	}
	return &Advice{Text: t.say(".")}
}

// surerWrites speaks where acknowledged writes were lost to a fault.
func surerWrites(f *findings) *Advice {
	var s *result.LostSpan
	for _, l := range f.r.AllLedgers() {
		if m := mostLostTo(l.LostSpans); m != nil && lossesFailed(f.r, l) && (s == nil || m.Lost > s.Lost) {
			s = m
		}
	}
	when := acknowledgedWhen(f.r, s)
	if when == "" {
		return nil
	}
	return &Advice{
		Likely: true,
		Text: Text{}.say("Acknowledge a write only when it is on disk, and at a majority of the members where there are " +
			"several: " + Count(s.Lost) + " that ").strong(Clean(s.Fault)).say(" lost had been acknowledged" + when +
			", so likely they were in the memory of one member alone."),
	}
}

// mostLostTo returns the span in which a fault lost most; nil if no fault is shown to have lost any.
func mostLostTo(spans []result.LostSpan) *result.LostSpan {
	return mostLost(slices.DeleteFunc(slices.Clone(spans), func(s result.LostSpan) bool { return s.Fault == "" }))
}

// acknowledgedWhen says when the first of the writes or messages that a fault lost was acknowledged, from the begin of
// that fault; it is empty if no fault is shown to have lost them.
func acknowledgedWhen(r *result.Result, s *result.LostSpan) string {
	if s == nil {
		return ""
	}
	switch by := faultNamed(r, s.Fault); {
	case by == nil || !by.Injected.Known():
		return ""
	case by.Injected > s.First:
		return " up to " + Seconds(by.Injected-s.First) + " before it"
	}
	return " while it was in"
}

// missedDelivery returns the first delivery on which an objective failed that counts a finding; nil without.
func (f *findings) missedDelivery(finding slo.Deliveries) *result.DeliveryRecord {
	for _, d := range f.r.Deliveries {
		if failedOn(f.r, func(o slo.Objective) bool {
			row := o.Metric.Row()
			if !ofDelivery(o, d) || row.Deliveries == nil {
				return false
			}
			low, _ := row.Deliveries(finding)
			return low > 0
		}) {
			return d
		}
	}
	return nil
}

// missedLedger returns the first ledger on which an objective failed that counts a finding; nil without.
func (f *findings) missedLedger(finding slo.Writes) *result.LedgerRecord {
	for _, l := range f.r.AllLedgers() {
		if failedOn(f.r, func(o slo.Objective) bool {
			row := o.Metric.Row()
			if !ofLedger(f.r, o, l) || row.Writes == nil {
				return false
			}
			low, _ := row.Writes(finding)
			return low > 0
		}) {
			return l
		}
	}
	return nil
}

// surerMessages speaks where acknowledged messages of a delivery were lost to a fault.
func surerMessages(f *findings) *Advice {
	var d *result.DeliveryRecord
	var most *result.LostSpan
	for _, x := range f.r.Deliveries {
		if m := mostLostTo(x.LostSpans); m != nil && messagesFailed(f.r, x) && (most == nil || m.Lost > most.Lost) {
			d, most = x, m
		}
	}
	when := acknowledgedWhen(f.r, most)
	if when == "" {
		return nil
	}
	return &Advice{
		Text: Text{}.say("Acknowledge a message only when it is on disk, and at a majority of the members where there are " +
			"several, and keep it until its receiver has confirmed it: " + pick(d.Unreadable > 0, "up to ", "") +
			Count(most.Lost) + " of ").strong(Clean(d.Name)).say(" that ").strong(Clean(most.Fault)).
			say(" lost had been acknowledged" + when + "."),
	}
}

// onlyOnce speaks where messages were seen, or writes are there, more than once.
func onlyOnce(f *findings) *Advice {
	if d := f.missedDelivery(slo.Deliveries{Duplicated: 1}); d != nil && d.Duplicated > 0 {
		return &Advice{
			Text: Text{}.say("Let the target remember the ids of messages that it passed on, and drop one that comes again: " +
				Plural(d.Duplicated, "message", "messages") + " of ").strong(Clean(d.Name)).
				say(wasOrWere(d.Duplicated) + " seen more than once."),
		}
	}
	if l := f.missedLedger(slo.Writes{Duplicated: 1}); l != nil && l.Duplicated > 0 {
		return &Advice{
			Text: Text{}.say("Let the target know a write by an id that its sender gives, and take it only once: " +
				Plural(l.Duplicated, "write", "writes") + " of ").strong(Clean(l.Write)).
				say(pick(l.Duplicated > 1, " are", " is") + " there more than once."),
		}
	}
	return nil
}

// oneByOne speaks where messages with the same key were seen in another order than they were sent in.
func oneByOne(f *findings) *Advice {
	d := f.missedDelivery(slo.Deliveries{Reordered: 1})
	if d == nil || d.Reordered == 0 {
		return nil
	}
	return &Advice{
		Text: Text{}.say("Pass messages with the same key on one after another, such as by one partition with one " +
			"consumer: " + Plural(d.Reordered, "message", "messages") + " of ").strong(Clean(d.Name)).
			say(wasOrWere(d.Reordered) + " seen after one that was sent later."),
	}
}

// seenWrites speaks where reads did not find writes that had been acknowledged before.
func seenWrites(f *findings) *Advice {
	t := Text{}.say("Acknowledge a write only when every read finds it, or let reads ask where it was taken: ")
	if l := f.missedLedger(slo.Writes{LateLow: 1}); l != nil && l.LateHigh > 0 {
		return &Advice{Text: t.say("a write of ").strong(Clean(l.Write)).
			say(" could be read only " + bounds(l.LateLow, l.LateHigh) + " after it was acknowledged.")}
	}
	if l := f.missedLedger(slo.Writes{StaleReads: 1}); l != nil && l.Reads != nil && l.Reads.Stale > 0 {
		return &Advice{Text: t.say(Plural(l.Reads.Stale, "read", "reads") + " did not find a write of ").
			strong(Clean(l.Write)).say(" that had been acknowledged.")}
	}
	return nil
}

// equalMembers speaks where units had not the same writes when everything was over.
func equalMembers(f *findings) *Advice {
	l := f.missedLedger(slo.Writes{Acknowledged: 1, Stale: 1})
	if l == nil || l.Stale == 0 || len(l.Units) < 2 {
		return nil
	}
	return &Advice{
		Text: Text{}.say("Let members compare what they have after a fault, and repair it: when all faults were over, " +
			Plural(l.Stale, "write", "writes") + " of ").strong(Clean(l.Write)).
			say(wasOrWere(l.Stale) + " not the same at all " + Int(int64(len(l.Units))) + " units."),
	}
}

// freshReads is what cures reads of values that were replaced before.
const freshReads = "Let reads ask the leader or a majority of the members, and drop a cached value when it is written"

// anomalyCures say what cures an anomaly of a kind. A kind that may have several reasons has none.
var anomalyCures = map[string]string{
	result.AnomalyDirty:        "Answer that a write had no effect only when it can have none any more",
	result.AnomalyLost:         "Acknowledge a write only when it is on disk, and at a majority of the members",
	result.AnomalyOverwritten:  "Compare and set a value in one step, which no other can come between",
	result.AnomalyDivergent:    freshReads,
	result.AnomalyNonMonotonic: freshReads,
	result.AnomalyStale:        freshReads,
}

// linearizable speaks where reads and writes of registers show an anomaly of a kind that has one cure.
func linearizable(f *findings) *Advice {
	for _, c := range f.r.Consistency {
		for i := range c.Kinds {
			k := &c.Kinds[i]
			cure := anomalyCures[k.Kind]
			if cure != "" && failedOn(f.r, func(o slo.Objective) bool {
				return ofRegisters(f.r, o, c) &&
					(cure == freshReads || o.Metric.Row().Registers(slo.Registers{Anomalies: 1}) > 0)
			}) {
				return &Advice{Text: Text{}.say(cure + ": reads and writes of ").strong(Clean(c.Name)).
					say(" show " + anomaly(k) + ".")}
			}
		}
	}
	return nil
}

// secondReplica speaks where a fault hit the only replica of a service.
func secondReplica(f *findings) *Advice {
	service := onlyReplica(f.r, f.fault)
	if service == "" {
		return nil
	}
	a := &Advice{
		Text:    Text{}.say("Run a second replica of ").strong(Clean(service)),
		Command: tryCommand(f.r, service+".replicas", "2"),
	}
	switch {
	case hung(f.fault): // its callers do not notice that it is gone
		a.Text = a.Text.say(", and let callers leave one that hangs: " + leaveHung + ". A replica alone does not cure a hang")
	case verbOf(f.fault) == "" || !f.fault.Nature.Does(scenarios.Down) || hung(f.fault): // it is there, and fails
		a.Likely = true
		a.Text = a.Text.say(", and let callers leave one that fails: " + leaveHung + ". Without that they would likely go " +
			"on asking it")
	}
	a.Text = a.Text.say(".")
	return a
}

// nearlyAll is the share of bad requests from which nothing else served in an outage.
const nearlyAll = .95

// secondProcess speaks where a fault hit a process or a container that the scenario does not name as a service, and
// nothing else served meanwhile.
func secondProcess(f *findings) *Advice {
	if linked(f.fault) || len(f.fault.Units) != 1 || len(f.fault.Steps) > 0 || len(f.r.Environment.Replicas) > 0 ||
		!f.fault.Nature.Away() || float64(f.in.Bad) < nearlyAll*float64(f.in.Requests) {
		return nil
	}
	t := Text{}.say("Let a second instance serve while ").strong(Clean(f.fault.Units[0])).say(" is away")
	if hung(f.fault) {
		t = t.say(", behind a balancer that leaves one that hangs")
	}
	return &Advice{
		Likely: true,
		Text: t.say(": " + Count(f.in.Bad) + " of " + Count(f.in.Requests) +
			" requests of the outage were not served, so likely nothing else could serve them."),
	}
}

// leaveHung is what makes callers leave a replica that takes requests and does not answer.
const leaveHung = "a timeout with a retry on another replica, or health checks that eject it"

// hung reports whether a fault left a replica that did not answer and refused nothing, so that only time tells that it
// is gone.
func hung(f *result.FaultRecord) bool { return f.Nature.Does(scenarios.Silent) }

// avoidReplica speaks where a fault hit some replicas of a service and requests failed although others were well.
func avoidReplica(f *findings) *Advice {
	if f.fault.Role == "leader" || f.fault.Leader {
		return nil
	}
	service, hit, all := replicas(f.r, f.fault)
	if hit == 0 || hit == all || f.fault.Led != "" && 2*hit >= all { // those that are left have no majority
		return nil
	}
	if hung(f.fault) {
		return &Advice{
			Likely: true,
			Text: Text{}.say("Let callers leave a replica that hangs, by " + leaveHung + ": ").
				say(Int(int64(all - hit))).say(" of " + Int(int64(all)) + " replicas of ").strong(Clean(service)).
				say(" were well, and callers likely went on waiting for the hung one."),
		}
	}
	ill := "dead"
	if !f.fault.Nature.Away() {
		ill = "failing"
	}
	return &Advice{
		Likely: true,
		Text: Text{}.say("Take a " + ill + " replica out of rotation, and retry on another one: ").
			say(Int(int64(all - hit))).say(" of " + Int(int64(all)) + " replicas of ").strong(Clean(service)).
			say(" were well, and their callers likely went on asking the " + ill + " one."),
	}
}

// shorterFailover speaks where the leader was away, and the service with it, until another one led or it was back.
func shorterFailover(f *findings) *Advice {
	if f.fault.Role != "leader" && !f.fault.Leader || !f.fault.Nature.Away() {
		return nil
	}
	leader := f.fault.Led
	if leader == "" && !linked(f.fault) && len(f.fault.Units) > 0 {
		leader = f.fault.Units[0]
	}
	the := Text{}.say("the leader")
	if leader != "" {
		the = the.say(" ").strong(Clean(leader))
	}
	t := Text{}.say("Shorten the failover: ")
	if stays := !f.fault.Within.Known(); stays && f.leaderless() {
		t = t.say("no other member took over in the " + Seconds(f.fault.Cleared-f.fault.Injected) + " without ")
		return &Advice{
			Likely: true,
			Text: append(t, the...).
				say(". Likely the time after which the others give up a leader is longer."),
		}
	}
	return &Advice{
		Likely: true,
		Text: append(t.say("without "), the...).
			say(" it took " + lengthOf(f.away()) + ". Likely the time after which the others give up a leader decides it."),
	}
}

// away returns the outages of a fault without those that its end began.
func (f *findings) away() []*result.Incident {
	return slices.DeleteFunc(slices.Clone(f.own), func(in *result.Incident) bool { return in.Evidence == result.ByRevert })
}

// leaderless reports whether requests failed until a fault on the leader was over, so that no other member took over.
func (f *findings) leaderless() bool {
	first := f.away()[0]
	return !(f.fault.Failover > 0) && !(f.fault.Back > 0) && first.Over && first.End >= f.fault.Cleared
}

// handOver speaks where a fault made the leader unable to serve, and no other member took over although the leader ran.
func handOver(f *findings) *Advice {
	leads := f.fault.Role == "leader" || f.fault.Leader
	if !leads || linked(f.fault) || len(f.fault.Units) != 1 || len(f.fault.Steps) > 0 ||
		f.fault.Nature.Does(scenarios.Own) || f.fault.Nature.Away() ||
		!f.leaderless() {
		return nil
	}
	return &Advice{
		Likely: true,
		Text: Text{}.say("Let a leader that can't serve hand over: no other member took over in the " +
			Seconds(f.fault.Cleared-f.fault.Injected) + " in which ").strong(Clean(f.fault.Units[0])).
			say(" ran and failed, so likely its health check asks only whether it runs."),
	}
}

// soonerBreaker speaks where answers still asked the client to wait when the fault was over.
func soonerBreaker(f *findings) *Advice {
	after, e := f.afterTheEnd(), f.waiting()
	if e == nil {
		return nil
	}
	wait := retryAfter(e.Sample)
	if strings.Trim(wait, "0123456789") == "" {
		wait += "s"
	}
	return &Advice{
		Likely: true,
		Text: Text{}.say("Let the circuit breaker try sooner than after " + wait + ", likely up to ").
			strong(Seconds(after)).say(" less outage."),
	}
}

// lostConnections are the kinds of errors of a connection whose peer is gone or silent.
var lostConnections = []string{
	scenarios.Timeout.String(), scenarios.Reset.String(), scenarios.Closed.String(),
}

// deadPeer speaks where requests went on to fail on connections after a peer that was silent was back.
func deadPeer(f *findings) *Advice {
	if !f.fault.Nature.Does(scenarios.Silent) || f.waiting() != nil {
		return nil
	}
	after := f.afterTheEnd()
	if !(after >= 1) {
		return nil
	}
	lost, answered := int64(0), int64(0)
	for i := range f.r.Errors {
		e := &f.r.Errors[i]
		switch n := countIn(f.own, e); {
		case !(e.Last > f.fault.Cleared):
		case slices.Contains(lostConnections, e.Kind):
			lost += n
		default:
			answered += n
		}
	}
	if lost <= answered { // the peers of the client were there
		return nil
	}
	return &Advice{
		Likely: true,
		Text: Text{}.say("Give up connections to a dead peer sooner, by keep-alives or a limit on unanswered data: " +
			"requests failed for ").strong(Seconds(after)).say(" after " + whatIsBack(f.fault) +
			", likely on connections from before."),
	}
}

// shorterTimeout speaks where the client gave up before the target answered anything, although the target could answer.
func shorterTimeout(f *findings) *Advice {
	others := func(e *result.ErrorGroup) bool { return !ofDatagram(e) }
	l, timeouts := f.unanswered(others, others)
	if l == nil {
		return nil
	}
	return &Advice{
		Likely: true,
		Text: Text{}.say("Let the target give up before its client does: " + Count(timeouts) + " requests of ").
			strong(Clean(l.Name)).say(" had no answer within the client's " + Seconds(l.Timeout) +
			", so likely its own timeouts are as long or longer."),
	}
}

// surerDatagrams speaks where datagrams had no answer: nothing repeats one that is lost, and no timeout of the target
// ends the wait.
func surerDatagrams(f *findings) *Advice {
	l, lost := f.unanswered(ofDatagram, func(*result.ErrorGroup) bool { return true })
	if l == nil {
		return nil
	}
	return &Advice{
		Likely: true,
		Text: Text{}.say("Let clients send a datagram again, or ask another server, well before their limit: " +
			Plural(lost, "datagram", "datagrams") + " of ").strong(Clean(l.Name)).say(" had no answer within " +
			Seconds(l.Timeout) + ", and nothing else repeats one that is lost."),
	}
}

// unanswered returns the first load of which at least five requests that are meant timed out, and at least a fifth of
// those among which they count, and how many did. It is nil if there is no such load, or if the timeouts have another
// reason.
func (f *findings) unanswered(meant, among func(*result.ErrorGroup) bool) (*result.LoadInfo, int64) {
	if f.starved() || f.heldBack() != nil || f.entrySilent() || !f.decidedByFailed() {
		return nil, 0
	}
	for i := range f.r.Loads {
		l := &f.r.Loads[i]
		timeouts, _ := f.timeouts(func(e *result.ErrorGroup) bool { return e.Load == l.Name && meant(e) })
		_, all := f.timeouts(func(e *result.ErrorGroup) bool { return e.Load == l.Name && among(e) })
		if timeouts -= f.toSilent(l.Name); l.Timeout > 0 && timeouts >= 5 && timeouts*5 >= all {
			return l, timeouts
		}
	}
	return nil, 0
}

// ofDatagram reports whether failed requests were datagrams, such as questions to a name server.
func ofDatagram(e *result.ErrorGroup) bool {
	return e.Sample != nil &&
		(strings.Contains(e.Sample.Request, " udp://") || strings.Contains(e.Sample.Request, " dns://"))
}

// decidedByFailed reports whether requests that failed decided the run: in an outage, or against an objective that is
// about them and not about response times.
func (f *findings) decidedByFailed() bool {
	return f.in != nil || slices.ContainsFunc(f.r.Objectives, func(o result.ObjectiveResult) bool {
		return failedByValue(&o) && o.Of().Row().CountsBad && !o.Of().Latency()
	})
}

// entrySilent reports whether the fault of the worst outage let no part of the target answer the client.
func (f *findings) entrySilent() bool { return f.fault != nil && silences(f.r, f.fault) }

// toSilent counts the timeouts of a load in outages of faults that let no part of the target answer it.
func (f *findings) toSilent(load string) (n int64) {
	for i := range f.r.Incidents {
		in := &f.r.Incidents[i]
		faults := in.Faults
		if in.By != "" {
			faults = []string{in.By}
		}
		asked := len(in.Steps) == 0 ||
			slices.ContainsFunc(in.Steps, func(s result.IncidentStep) bool { return s.Load == load })
		if asked && slices.ContainsFunc(faults, func(name string) bool {
			by := faultNamed(f.r, name)
			return by != nil && silences(f.r, by)
		}) {
			n += in.Kinds[scenarios.Timeout.String()]
		}
	}
	return n
}

// silences reports whether a fault, or a step of it, let no part of the target answer the client: it hit all that the
// load asks, the link to it, or a process of which it is not known what it is to the others. The load asks the entry,
// and each service that no link of the target leads to.
func silences(r *result.Result, by *result.FaultRecord) bool {
	hit := map[string][]string{} // units of each service
	for _, a := range acts(by) {
		switch {
		case !a.Nature.Does(scenarios.Mute):
		case linked(&a):
			if ofLoad(a.Hit()) {
				return true
			}
		case len(r.Environment.Replicas) == 0:
			return true
		default:
			for _, u := range a.Units {
				if service := slo.ServiceOf(u); !slices.Contains(hit[service], u) {
					hit[service] = append(hit[service], u)
				}
			}
		}
	}
	for service, units := range hit {
		asked := service == r.Environment.Entry || len(r.Links) > 0 &&
			!slices.ContainsFunc(r.Links, func(l result.Link) bool { return slo.ServiceOf(l.To) == service })
		if asked && len(units) == r.Environment.Replicas[service] {
			return true
		}
	}
	return false
}

// acts lists what a fault did: the fault itself, or the steps of a group that were injected, as faults.
func acts(f *result.FaultRecord) []result.FaultRecord {
	if len(f.Steps) == 0 {
		return []result.FaultRecord{*f}
	}
	var list []result.FaultRecord
	for i := range f.Steps {
		if s := &f.Steps[i]; s.Injected.Known() {
			list = append(list, result.FaultRecord{
				Kind: s.Kind, Nature: s.Nature, Units: s.Units, Links: s.Links, Injected: s.Injected,
			})
		}
	}
	return list
}

// ofLoad reports whether one of the links is from the load.
func ofLoad(links []string) bool {
	return slices.ContainsFunc(links, func(l string) bool { return strings.HasPrefix(l, "load->") })
}

// boundedCalls speaks where an objective on response times failed while a fault made a link of the target slow.
func boundedCalls(f *findings) *Advice {
	o, by := f.slowLink()
	if o == nil || ofLoad(by.Hit()) {
		return nil
	}
	link, _ := linkWords(f.r, by)
	return &Advice{
		Likely: true,
		Text: append(Text{}.say("Bound the calls over "), link...).
			say(": answers waited for it, likely without a timeout. One below " + objectiveLimit(o) +
				" with a fallback would hold the objective."),
	}
}

// fewerCrossings speaks where an objective on response times failed while a fault made the link from the load slow. No
// timeout in the target helps there.
func fewerCrossings(f *findings) *Advice {
	o, by := f.slowLink()
	if o == nil || !ofLoad(by.Hit()) {
		return nil
	}
	link, _ := linkWords(f.r, by)
	return &Advice{
		Likely: true,
		Text: append(Text{}.say("Let a request cross "), link...).
			say(" less often, by kept connections, fewer redirects or smaller answers, or allow for ").
			strong(Clean(by.Name)).say(" in the limit of " + objectiveLimit(o) + ": answers likely waited for the link, " +
			"which the target can't shorten."),
	}
}

// secondTry speaks where a fault on a link failed requests of the load itself. Nothing in the target helps there.
func secondTry(f *findings) *Advice {
	if !f.fault.Nature.Does(scenarios.Refuses) || !linked(f.fault) || !ofLoad(f.fault.Hit()) {
		return nil
	}
	link, _ := linkWords(f.r, f.fault)
	t := Text{}.say("Let clients try again where that is safe, or allow for ").strong(Clean(f.fault.Name)).
		say(" in the objectives: it failed requests on ")
	return &Advice{Text: append(t, link...).say(", where the target can't help.")}
}

// mostTimedOut reports whether at least half of the errors of the run are timeouts of the client.
func (f *findings) mostTimedOut() bool {
	timeouts, all := f.timeouts(func(*result.ErrorGroup) bool { return true })
	return 2*timeouts >= all
}

// timeouts counts the timeouts of the client and all errors, of those that are meant. It leaves out errors of parts and
// of init.
func (f *findings) timeouts(meant func(e *result.ErrorGroup) bool) (timeouts, all int64) {
	for i := range f.r.Errors {
		e := &f.r.Errors[i]
		if e.Part || e.Init || !meant(e) {
			continue
		}
		if all += e.Count; e.Kind == scenarios.Timeout.String() {
			timeouts += e.Count
		}
	}
	return timeouts, all
}

// slowLink returns an objective on response times that failed while a fault made a link slow, and the fault; nil: no
// such objective failed. Where too many requests failed for a percentile, it was the slow link only if they timed out.
func (f *findings) slowLink() (*result.ObjectiveResult, *result.FaultRecord) {
	for i := range f.r.Objectives {
		o := &f.r.Objectives[i]
		if !failedByValue(o) || !o.Of().Latency() || o.Phase.Kind != slo.FaultPhase ||
			o.Infinite && !f.mostTimedOut() {
			continue
		}
		by := faultNamed(f.r, o.Phase.String())
		if by != nil && linked(by) && by.Nature.Verb == "slow" && likelySlower(by.Parts) {
			return o, by
		}
	}
	return nil, nil
}

// likelySlower reports whether answers were slower in a fault, or, where brunt's own time or few answers leave that
// open, half of them took over twice as long and over 20 ms longer.
func likelySlower(p *result.ImpactParts) bool {
	switch p.Slower().Answer {
	case result.Yes:
		return true
	case result.No:
		return false
	}
	return p != nil && p.P50 > 2*p.P50Before && p.P50 > p.P50Before+.02
}

func objectiveLimit(o *result.ObjectiveResult) string { return formatMetric(o.Of(), o.Target) }

// moreMemory speaks where the kernel killed a unit for lack of memory.
func moreMemory(f *findings) *Advice {
	for i := range f.r.Usage {
		u := &f.r.Usage[i]
		if u.OOMs == 0 || f.meant(u.Unit, scenarios.Memory) {
			continue
		}
		return &Advice{Text: Text{}.say("Give ").strong(Clean(u.Unit)).say(" more memory, or let it use less: the kernel " +
			"killed " + Plural(int64(u.OOMs), "process", "processes") + " of it, at " + Bytes(u.Memory) + ".")}
	}
	return nil
}

// meant reports whether a fault, a step of one, or a condition that does such a thing hit the unit.
func (f *findings) meant(unit string, deed scenarios.Deed) bool {
	return slices.ContainsFunc(f.r.Faults, func(x result.FaultRecord) bool {
		return slices.ContainsFunc(acts(&x), func(a result.FaultRecord) bool {
			return a.Nature.Does(deed) && slices.Contains(a.Units, unit) && a.Injected.Known()
		})
	}) || slices.ContainsFunc(f.r.Conditions, func(c result.Condition) bool {
		return c.Nature.Does(deed) && slices.Contains(c.Units, unit) && c.Evidence != ""
	})
}

// longerQueue speaks where the kernel dropped connections because a unit did not accept them fast enough.
func longerQueue(f *findings) *Advice {
	for i := range f.r.Usage {
		u := &f.r.Usage[i]
		if u.AcceptOverflows == 0 || u.AcceptShared || f.meant(u.Unit, scenarios.Deaf) {
			continue
		}
		return &Advice{Text: Text{}.say("Lengthen the accept queue of ").strong(Clean(u.Unit)).say(", or accept faster: " +
			"the kernel dropped " + Plural(u.AcceptOverflows, "connection", "connections") + " because it was full.")}
	}
	return nil
}

// busySeconds is the least number of seconds of CPU that tell whether a unit is at a limit.
const busySeconds = 10

// moreProcessor speaks where a unit used all of a whole number of cores, or of the machine, for most of the load.
func moreProcessor(f *findings) *Advice {
	for i := range f.r.Usage {
		u := &f.r.Usage[i]
		var cores []float64
		for _, s := range u.Seconds {
			if s.T > 0 && s.Running && s.CPU.Known() {
				cores = append(cores, float64(s.CPU))
			}
		}
		if len(cores) < busySeconds || f.meant(u.Unit, scenarios.Processor) {
			continue
		}
		slices.Sort(cores)
		median, high := cores[len(cores)/2], cores[len(cores)*9/10]
		whole := math.Round(median)
		if whole < 1 || math.Abs(median-whole) > .05*whole || high > 1.05*whole {
			continue
		}
		return &Advice{
			Likely: true,
			Text: Text{}.say("Give ").strong(Clean(u.Unit)).say(" more processor time, or let it do less: it used " +
				Number(median) + pick(whole > 1, " cores", " core") + " in half of the seconds and no more in the others, which " +
				"is likely all it may use."),
		}
	}
	return nil
}

// boundedQueue speaks where more and more iterations of an open load were in flight at a constant rate.
func boundedQueue(f *findings) *Advice {
	before, now, grew := inFlightGrowth(f.r)
	if f.starved() || f.heldBack() != nil || !grew {
		return nil
	}
	return &Advice{
		Likely: true,
		Text: Text{}.say("Bound the queue of the target, and shed what is beyond it, or give it more capacity: in flight " +
			"grew from " + Count(before) + " to ").strong(Count(now)).say(", so likely it does less than it is asked for."),
	}
}

// growthParts is the number of parts of a run that tell whether more and more is in flight.
const growthParts = 6

// inFlightGrowth compares the iterations in flight in the first and in the last part of a run of an open load. grew
// reports whether they grew from each part to the next, and at least threefold, at a rate that did not.
func inFlightGrowth(r *result.Result) (before, now int64, grew bool) {
	var flight, offered []int64
	for _, w := range openSeconds(r) {
		flight, offered = append(flight, w.InFlight), append(offered, w.Offered)
	}
	each := len(flight) / growthParts
	if each < 2 {
		return 0, 0, false
	}
	var parts []int64
	for i := range growthParts {
		parts = append(parts, middle(flight[i*each:(i+1)*each]))
		if i > 0 && parts[i] <= parts[i-1] {
			return 0, 0, false
		}
	}
	before, now = parts[0], parts[growthParts-1]
	first, last := middle(offered[:each]), middle(offered[(growthParts-1)*each:growthParts*each])
	return before, now, now >= 20 && now >= 3*max(before, 1) && 2*last <= 3*first
}

// openSeconds returns the judged seconds of a run whose loads are all open; else none.
func openSeconds(r *result.Result) (list []*result.Window) {
	if slices.ContainsFunc(r.Loads, func(l result.LoadInfo) bool { return l.Closed }) {
		return nil
	}
	for i := range r.Windows {
		w := &r.Windows[i]
		if w.Load == "*" && w.Step == "*" && w.T >= 0 && w.D >= .9 && w.T+w.D <= r.Duration+.01 {
			list = append(list, w)
		}
	}
	return list
}

// moreCapacity speaks where a target fell behind a load that grew, while no fault was in.
func moreCapacity(f *findings) *Advice {
	from, last := fellBehind(f.r)
	if from == nil {
		return nil
	}
	return &Advice{
		Likely: true,
		Text: Text{}.say("Give the target more capacity, or shed what is beyond it: it likely keeps up with about ").
			strong(offeredRate(from)).say(", and " + offeredRate(last) + " were asked for."),
	}
}

func offeredRate(w *result.Window) string {
	return Rate(result.Num(math.Round(float64(w.Offered) / float64(w.D))))
}

// fellBehind returns the second from which on more was in flight in each second of a load that grew, and the last
// second of the load. Both are nil unless in flight grew at least tenfold in at least six seconds, and no fault is a
// reason.
func fellBehind(r *result.Result) (from, last *result.Window) {
	list := openSeconds(r)
	i := len(list) - 1
	for i > 0 && list[i].InFlight > list[i-1].InFlight {
		i--
	}
	if len(list)-i < growthParts+1 {
		return nil, nil
	}
	from, last = list[i], list[len(list)-1]
	if last.InFlight < 20 || last.InFlight < 10*max(from.InFlight, 1) || 2*last.Offered <= 3*list[0].Offered {
		return nil, nil
	}
	for j := range r.Faults {
		f := &r.Faults[j]
		if end := max(f.Cleared, f.RecoveredAt); f.Injected.Known() && !(end < from.T) { // also where its end is unknown
			return nil, nil
		}
	}
	return from, last
}

// middle returns the median.
func middle(list []int64) int64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

// firstStep speaks where requests failed and no fault is shown to have done it. It names the step that failed first, or
// most often where that is not known.
func firstStep(f *findings) *Advice {
	if f.first == nil || f.fault != nil || f.heldBack() != nil || f.endedItself() || f.overloadedFrom(f.first.First) {
		return nil
	}
	t := Text{}.say("Find out why ").strong(stepName(f.first)).
		say(pick(f.often, " failed, by ", " failed first, by ") + caused(f.first) + ".")
	if f.first.Kind == scenarios.ClosedIdle.String() {
		return &Advice{Text: Text{}.say("Set ").strong("connections: {max_idle: …}").say(" of the load below the time after " +
			"which the server closes idle connections, or raise the server's: ").strong(stepName(f.first)).
			say(" was sent just as it closed one, and may not be sent twice.")}
	}
	if f.firstCurl() != "" {
		t = t.say(" The report has a command that repeats its first failure.")
	}
	return &Advice{Text: t}
}

// lookAtSlowdown speaks where the target was slower for a while, no fault was in, and an objective on response times
// failed.
func lookAtSlowdown(f *findings) *Advice {
	s := worstSlowdown(f.r)
	if s == nil || !f.failedByTimes() || f.r.T0.IsZero() || f.overloadedFrom(s.From) {
		return nil
	}
	t := Text{}.say("Look at the logs and metrics of the target from ").strong(clockSpan(f.r, s.From, s.To)).
		say(", for what made it slow: " + wasIn(f.r, s.From))
	if g := &f.r.Generator; !g.Healthy && g.Pressure >= busyMachine {
		return &Advice{Likely: true, Text: t.say(". Tasks of this machine waited for a processor " +
			wholePercent(float64(g.Pressure)) + " of the time, which is a likely reason if the target runs here.")}
	}
	return &Advice{Text: t.say(".")}
}

// failedByTimes reports whether an objective on response times failed.
func (f *findings) failedByTimes() bool {
	return slices.ContainsFunc(f.r.Objectives, func(o result.ObjectiveResult) bool {
		return failedByValue(&o) && o.Of().Latency()
	})
}

// someTraffic speaks where the run says nothing of the target because no traffic met a fault.
func someTraffic(f *findings) *Advice {
	if f.r.Verdict != scenarios.Inconclusive && f.r.Verdict != scenarios.Invalid {
		return nil
	}
	for i := range f.r.Faults {
		x := &f.r.Faults[i]
		if !noTraffic(x) {
			continue
		}
		hit, _ := hitWords(f.r, x)
		t := append(Text{}.say("Give the load a step that uses "), hit...).say(" while ").strong(Clean(x.Name))
		return &Advice{Text: t.say(" is in, or let the fault hit what the load uses: no traffic met it.")}
	}
	return nil
}

// tryAlone speaks where the run says nothing of the target because the effect of a fault was not verified.
func tryAlone(f *findings) *Advice {
	if f.r.Verdict != scenarios.Invalid || len(f.r.Reasons) == 0 || f.r.Reasons[0].Kind != result.NoEffect {
		return nil
	}
	name := f.r.Reasons[0].Fault
	i := slices.IndexFunc(f.r.Faults, func(x result.FaultRecord) bool { return x.Name == name })
	if i < 0 {
		return nil
	}
	t := Text{}.say("Mend ").strong(Clean(name))
	if check := f.r.Faults[i].Nature.Check; check != "" {
		t = t.say(", or the check in its ").code(check).say(":")
	} else {
		t = t.say(":")
	}
	return &Advice{
		Text:    t.say(" its effect was not seen. Inject it alone, without load, until it is verified."),
		Command: injectCommand(f.r, f.r.Faults[i].Phase().Fault),
	}
}

// injectCommand returns the command that injects a fault of the scenario alone, with the parameters and policies of the
// run. It is empty if the command of the run does not show the file of the scenario.
func injectCommand(r *result.Result, fault string) string {
	c := r.Environment.Command
	if len(c) < 3 || c[1] != "run" || len(r.Environment.Scenario) == 0 {
		return ""
	}
	ofScenario := func(file string) bool {
		return slices.ContainsFunc(r.Environment.Scenario, func(s result.FileSum) bool {
			return filepath.Base(file) == s.Path // which is relative to the folder of the scenario
		})
	}
	file := ""
	var kept []string
	for i := 2; i < len(c); i++ {
		switch flag, _, joined := strings.Cut(c[i], "="); {
		case flag == "--set", flag == "--policy":
			kept = append(kept, c[i])
			if !joined && i+1 < len(c) {
				i++
				kept = append(kept, c[i])
			}
		case strings.HasPrefix(flag, "-"):
		case i == 2, ofScenario(c[i]): // others may be values of flags
			file = cmp.Or(file, c[i])
		}
	}
	if file == "" {
		return ""
	}
	return Command(append([]string{"brunt", "inject", file, fault}, kept...))
}

// overloadedFrom reports whether the target had fallen behind a growing load at an offset of the run. That explains
// slow answers and failures from then on.
func (f *findings) overloadedFrom(at result.Num) bool {
	from, _ := fellBehind(f.r)
	return from != nil && at >= from.T
}

// ownCore speaks where brunt itself was late and that leaves a verdict open.
func ownCore(f *findings) *Advice {
	if f.r.Generator.Healthy || openByLag(f.r) == 0 {
		return nil
	}
	for _, l := range f.r.Generator.Limited {
		if text, known := remedies[l.Remedy]; known {
			return &Advice{Text: Text{}.say(text)}
		}
	}
	return nil
}

// remedies say what ends a lag of brunt.
var remedies = map[result.Remedy]string{
	result.MoreCores:   "Give brunt more processors or ask for a lower rate, and run it again.",
	result.OwnCore:     "Give brunt a processor that no other program uses, and run it again.",
	result.MoreQuota:   "Raise the CPU quota of brunt, and run it again.",
	result.RunToTheEnd: "Keep brunt and its machine running to the end, and run it again.",
}

// moreRequests speaks where too few requests decide an objective.
func moreRequests(f *findings) *Advice {
	for i := range f.r.Objectives {
		o := &f.r.Objectives[i]
		if o.Verdict != scenarios.Inconclusive {
			continue
		}
		for _, n := range o.Because {
			if n.Kind != result.FewRequests && n.Kind != result.NotShown || n.Need <= n.Count || n.Count == 0 {
				continue
			}
			times := float64(n.Need) / float64(n.Count)
			return &Advice{Text: moreIn(f.r, o.Phase).strong(ObjectiveTitle(o)).
				say(" takes " + Count(n.Need) + " requests, and " + Count(n.Count) + " came, so " +
					briefly(math.Ceil(times*10)/10) + " times as many decide it.")}
		}
	}
	return nil
}

// moreIn says how a phase gets more requests. A longer run makes only some phases longer, and nothing makes that of a
// one-shot longer.
func moreIn(r *result.Result, phase slo.Phase) Text {
	of := phase.Of(slo.FaultPhase)
	t := Text{}
	switch kind := phase.Kind; {
	case kind == slo.BaselinePhase && len(r.Faults) > 0: // else it is the whole load
		t = t.say("Let the first fault come later, or run")
	case kind == slo.FaultPhase:
		oneShot := func(f result.FaultRecord) bool { return of.Includes(f.Phase()) && f.Within.Known() }
		if slices.ContainsFunc(r.Faults, oneShot) {
			t = t.say("Run")
			break
		}
		t = t.say("Let ").strong(Clean(of.Fault)).say(" stay in for longer, or run")
	case kind == slo.RecoveryPhase:
		t = t.say("Raise ").code("judge.hold").say(", or run")
	case kind == slo.RestPhase:
		t = t.say("Leave more time after ").strong(Clean(of.Fault)).say(", or run")
	default:
		t = t.say("Run for longer, or")
	}
	return t.say(" at a higher rate: ")
}

// keep names the faults that did no harm where others did, so that a reader does not look there.
func (f *findings) keep() Text {
	if !f.outage() {
		return nil
	}
	var none []string
	for i := range f.r.Faults {
		x := &f.r.Faults[i]
		p := x.Parts
		if x.Injected.Known() && failedNone(f.r, x) && p.Requests > 0 && len(x.FailedObjectives) == 0 &&
			(p.Slow == 0 && (x.Impact == result.NotImpacted || OnlySlower(x)) || p.Slow > 0 && !slowCounts(f.r)) {
			none = append(none, Clean(x.Name))
		}
	}
	if len(none) == 0 {
		return nil
	}
	if left := len(none) - 4; left > 0 {
		none = append(none[:4], Plural(int64(left), "other fault", "other faults"))
	}
	return Text{}.say("Not " + pick(len(none) > 1, "these", "this") + ": ").strong(Join(none)).say(" failed no request.")
}

// tryCommand returns the command of the run with another value of the parameter that alone feeds a setting whose path
// ends in a suffix. It is empty if no parameter does, or if it feeds other settings too.
func tryCommand(r *result.Result, suffix, value string) string {
	for _, p := range r.Params {
		if len(p.Feeds) != 1 || !strings.HasSuffix("."+p.Feeds[0], "."+suffix) || len(r.Environment.Command) < 2 {
			continue
		}
		return Command(commandWith(r.Environment.Command, p.Name, value))
	}
	return ""
}

// commandWith returns a command line of brunt with another value of a parameter, and without the folder of the run.
func commandWith(command []string, param, value string) []string {
	out := []string{"brunt"}
	args := command[1:]
	for i := 0; i < len(args); i++ {
		flag, set, joined := strings.Cut(args[i], "=")
		switch flag {
		case "--set", "-o", "--output":
			if !joined && i+1 < len(args) {
				i++
				set = args[i]
			}
			if name, _, _ := strings.Cut(set, "="); flag == "--set" && name != param {
				out = append(out, "--set", set)
			}
			continue
		}
		out = append(out, args[i])
	}
	return append(out, "--set", param+"="+value)
}

// firstCurl returns the command that repeats the first request that failed; empty if none is known.
func (f *findings) firstCurl() string {
	if f.first == nil || f.often || f.first.Sample == nil {
		return ""
	}
	return f.first.Sample.Curl
}
