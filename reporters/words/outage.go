package words

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// worstOutage returns the incident that counts most against the objectives that failed, and the fault that did it. by
// is nil if no fault is shown to have done it; in is nil without such an incident.
func worstOutage(r *result.Result) (in *result.Incident, by *result.FaultRecord) {
	list := causes(r)
	if len(list) == 0 {
		return nil, nil
	}
	return list[0].in, doneBy(r, list[0].in)
}

// doneBy returns the fault that did an outage; nil if no fault is shown to have done it.
func doneBy(r *result.Result, in *result.Incident) *result.FaultRecord {
	if in.By == "" {
		return nil
	}
	return faultNamed(r, in.By)
}

// faultNamed returns the occurrence of a fault with the given name, or nil.
func faultNamed(r *result.Result, name string) *result.FaultRecord {
	i := slices.IndexFunc(r.Faults, func(f result.FaultRecord) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return &r.Faults[i]
}

// outageSentence says what the worst outage was that a fault did, such as "When the only replica of posts died, nearly
// every request failed for 2.1s.". It is nil if no outage is shown to be by a fault, or if the objective that decides
// is about another time.
func outageSentence(r *result.Result) Text {
	in, f := worstOutage(r)
	if f == nil {
		if t := endSentence(r, in); t != nil {
			return t
		}
		return overloadSentence(r, in)
	}
	if in.Bad == 0 || !decidedByBad(r) {
		return nil
	}
	list := toldWith(r, in)
	t := Text{}.say("When ")
	switch {
	case late(r, in, f):
		t = Text{}.strong(Seconds(sinceFault(f, in.Begin))).say(" after ").strong(Clean(f.Name)).say(wasOver(f))
	case list[0].Evidence == result.ByRevert:
		t = t.strong(Clean(f.Name)).say(" ended")
	default:
		t = append(t, faultClause(r, f)...)
	}
	t = t.say(", " + extent(r, sumOf(list)) + " for ").strong(incidentLength(list[0])).
		say(again(list[1:]) + begunIn(r, list))
	if n := injectedIn(r, list, f); n > 0 {
		t = t.say(", in which " + Plural(n, "more fault was", "more faults were") + " injected")
	}
	if !list[len(list)-1].Over {
		t = t.say(", to the end of the run")
		switch f.Unrecovered {
		case result.GoneStillHarm, result.LoadUntold:
			t = t.say(", although the fault was gone")
		case result.Stuck:
			t = t.say(", although the fault was gone: the target was stuck until the load was lowered")
		case result.StillAway, result.GoneTooShort, result.LoadRaised:
		}
	}
	ended := endedUnder(r, f, list[0].Begin-ownEndWithin, list[len(list)-1].End)
	return t.say(ended + elsewhere(r, list) + ".")
}

// toldWith returns the outages that a text tells as one with an outage that counts against the failed objectives: those
// of its fault that count as well, in the order of their begin. It is told alone if no fault did it, or if it is late.
func toldWith(r *result.Result, in *result.Incident) (list []*result.Incident) {
	by := doneBy(r, in)
	if by == nil || late(r, in, by) {
		return []*result.Incident{in}
	}
	for _, c := range causes(r) {
		if c.in.By == in.By && !late(r, c.in, by) {
			list = append(list, c.in)
		}
	}
	slices.SortFunc(list, func(a, b *result.Incident) int { return cmp.Compare(a.Begin, b.Begin) })
	return list
}

// sumOf returns outages as one, from the begin of the first to the end of the last, with the sums of their requests. It
// is nil without an outage.
func sumOf(list []*result.Incident) *result.Incident {
	if len(list) == 0 {
		return nil
	}
	sum := *list[len(list)-1]
	sum.Begin, sum.Requests, sum.Bad, sum.Kinds = list[0].Begin, 0, 0, map[string]int64{}
	for _, in := range list {
		sum.Requests, sum.Bad = sum.Requests+in.Requests, sum.Bad+in.Bad
		for kind, n := range in.Kinds {
			sum.Kinds[kind] += n
		}
	}
	return &sum
}

// lengthOf formats how long outages lasted together, for a sentence.
func lengthOf(list []*result.Incident) string {
	if len(list) == 1 {
		return incidentLength(list[0])
	}
	return pick(list[len(list)-1].Over, "", "over ") + Seconds(lastedTogether(list)) + " in all"
}

func lastedTogether(list []*result.Incident) (sum result.Num) {
	for _, in := range list {
		sum += lasted(in)
	}
	return sum
}

// again says for how long, and from when on, requests failed in the outages of a fault after its first one, as a
// clause. It is empty without such an outage.
func again(list []*result.Incident) string {
	switch len(list) {
	case 0:
		return ""
	case 1:
		return ", and again for " + lengthFrom(list[0])
	}
	return ", and again " + Int(int64(len(list))) + " times, for " + lengthOf(list)
}

// lengthFrom says how long an outage of a fault lasted, and when it began.
func lengthFrom(in *result.Incident) string {
	if in.Evidence == result.ByRevert {
		return incidentLength(in) + " when the fault ended"
	}
	return incidentLength(in) + " from " + Offset(in.Begin) + " on"
}

// elsewhere counts the requests that failed in other outages than those of a list, as a clause. It is empty if they are
// few beside all.
func elsewhere(r *result.Result, told []*result.Incident) string {
	requests, outages := int64(0), int64(0)
	for _, c := range causes(r) {
		if c.share >= mattering && failedIn(c.in) > 0 && !slices.Contains(told, c.in) {
			requests, outages = requests+failedIn(c.in), outages+1
		}
	}
	if outages == 0 {
		return ""
	}
	return "; " + Count(requests) + " more failed in " + Plural(outages, "other outage", "other outages")
}

// sameCause reports whether two incidents are one, or are by one fault.
func sameCause(a, b *result.Incident) bool { return a == b || a.By != "" && a.By == b.By }

// wasOver ends a clause on the time after a fault. A crash that nothing starts again is never over.
func wasOver(f *result.FaultRecord) string { return pick(f.StaysDown, " was injected", " was over") }

// sinceFault returns how long before a time a fault was over, or was injected if nothing starts its unit again.
func sinceFault(f *result.FaultRecord, at result.Num) result.Num {
	if f.StaysDown {
		return at - f.Injected
	}
	return at - f.Cleared
}

// late reports whether an outage that belongs to a fault began well after the fault was over, and after the load had
// been good again: for some seconds, or until a unit ended by itself.
func late(r *result.Result, in *result.Incident, by *result.FaultRecord) bool {
	if !(in.Begin > by.Cleared+lateAfter) {
		return false
	}
	switch in.Evidence {
	case result.ByRelapse, result.ByUnit:
		return true
	case result.ByRecovery:
		good := result.Num(math.Inf(1)) // time since the outage before
		for i := range r.Incidents {
			if c := &r.Incidents[i]; c.By == by.Name && c.Begin < in.Begin {
				good = min(good, in.Begin-c.End)
			}
		}
		return good > goodBetween || ownEnd(r, in) != ""
	case result.ByInjection, result.ByRevert, result.ByEnd:
	}
	return false
}

const (
	lateAfter   = 1 // seconds from the end of a fault until an outage that is told apart from the fault's own
	goodBetween = 5 // seconds of good answers after which an outage is told as another one
)

// laterOutage returns the worst outage of a fault that is late; nil without.
func laterOutage(r *result.Result, by *result.FaultRecord) (worst *result.Incident) {
	for i := range r.Incidents {
		if in := &r.Incidents[i]; in.By == by.Name && late(r, in, by) && (worst == nil || in.Bad > worst.Bad) {
			worst = in
		}
	}
	return worst
}

// lateOnPass adds the outages that began well after their faults were over to the sentence of a run that passed.
func lateOnPass(r *result.Result) (text string) {
	for i := range r.Faults {
		by := &r.Faults[i]
		if in := laterOutage(r, by); in != nil {
			text += "; " + Seconds(sinceFault(by, in.Begin)) + " after " + quote(by.Name) + wasOver(by) + ", " +
				extent(r, in) + " for " + incidentLength(in) + begunBy(r, in)
		}
	}
	return text
}

// begunIn names the units that ended, without a fault on them, when outages of a fault began, as a clause.
func begunIn(r *result.Result, list []*result.Incident) (said string) {
	if len(list) == 1 {
		return begunBy(r, list[0])
	}
	for _, in := range list {
		if ended := ownEnd(r, in); ended != "" {
			said += "; the outage from " + Offset(in.Begin) + " on began when " + ended
		}
	}
	return said
}

// begunBy names the unit that ended when an outage began, without a fault on it, as a clause; it is empty if none is
// known.
func begunBy(r *result.Result, in *result.Incident) string {
	if ended := ownEnd(r, in); ended != "" {
		return "; it began when " + ended
	}
	return ""
}

// ownEnd says which unit ended when an outage began, such as "front[0] ended by itself (exit status 3)". It is empty if
// no unit did, or if a fault was on it.
func ownEnd(r *result.Result, in *result.Incident) string {
	e := endAt(r, in)
	if e == nil {
		return ""
	}
	return Clean(e.Unit) + " " + endedSo(r, e)
}

// endedSo says how a unit ended without a fault on it, and which conditions of the run were on it.
func endedSo(r *result.Result, e *result.Event) string {
	what, _ := UnitEvent(e.Event, e.Text)
	_, itself := r.OwnEnd(e)
	said := pick(itself, "ended by itself", "ended") + strings.TrimPrefix(what, unitEvents[e.Event])
	var on []string
	for i := range r.Conditions {
		if c := &r.Conditions[i]; c.On(e) {
			on = append(on, c.Name)
		}
	}
	if len(on) == 0 {
		return said
	}
	return said + " while the " + pick(len(on) > 1, "conditions ", "condition ") + Clean(Join(on)) +
		pick(len(on) > 1, " were", " was") + " on it"
}

// OwnDeaths says which units ended without a fault on them, and when, in the order of their first ends.
func OwnDeaths(r *result.Result) (said []string) {
	end := loadEnd(r)
	if math.IsInf(float64(end), 1) { // not known: brunt itself ends units then
		return nil
	}
	for _, s := range r.OwnDeaths(r.Events, end.D()) {
		said = append(said, Clean(s))
	}
	return said
}

// endAt returns the event of a unit whose end may have begun an outage, without a fault on it; nil without. It came
// within a second of the begin, and not after the first failure was seen.
func endAt(r *result.Result, in *result.Incident) *result.Event {
	seen := max(in.Begin, in.BeginHigh)
	if first := firstIn(r, in); first != nil {
		seen = max(seen, first.First)
	}
	return endBetween(r, in.Begin-ownEndWithin, min(seen+reportedLate, in.Begin+ownEndWithin))
}

// endBetween returns the first event in (from, to] of a unit that ended without a fault on it; nil without. It leaves
// out a job that was done, unless others call it.
func endBetween(r *result.Result, from, to result.Num) *result.Event {
	for i := range r.Events {
		e := &r.Events[i]
		if ended, _ := r.OwnEnd(e); ended && e.T > from && e.T <= to && (!succeeded(e) || called(r, e.Unit)) {
			return e
		}
	}
	return nil
}

// endsUnder returns the ends of units that a fault was on, in a span, if its kind does not end them itself. It leaves
// out a job that was done, unless others call it.
func endsUnder(r *result.Result, f *result.FaultRecord, from, to result.Num) (list []*result.Event) {
	if f.Does(scenarios.Ends) {
		return nil
	}
	to = min(to, loadEnd(r))
	for i := range r.Events {
		e := &r.Events[i]
		if f.EndedUnder(e) && e.T >= from && !(e.T > to) && (!succeeded(e) || called(r, e.Unit)) {
			list = append(list, e)
		}
	}
	return list
}

// loadEnd returns the end of the load, from which on brunt ends units; infinite if that is not known.
func loadEnd(r *result.Result) result.Num {
	if i := slices.IndexFunc(r.Phases, func(p result.Phase) bool { return p.Name.Kind == slo.RunPhase }); i >= 0 {
		return r.Phases[i].End
	}
	return result.Num(math.Inf(1))
}

// endedUnder says which units ended in a span while a fault was on them, as a clause; empty without one. Whether the
// fault ended them is not known.
func endedUnder(r *result.Result, f *result.FaultRecord, from, to result.Num) string {
	return endsClause(endsUnder(r, f, from, to))
}

// endsClause says of each unit how and when it ended first, and how often more; empty without an end.
func endsClause(list []*result.Event) (said string) {
	for i, e := range list {
		if slices.ContainsFunc(list[:i], func(before *result.Event) bool { return before.Unit == e.Unit }) {
			continue
		}
		more := int64(-1)
		for _, other := range list[i:] {
			if other.Unit == e.Unit {
				more++
			}
		}
		what, _ := UnitEvent(e.Event, e.Text)
		said += "; " + Clean(e.Unit) + " " + what + " at " + Offset(e.T)
		if more > 0 {
			said += ", and " + Plural(more, "more time", "more times")
		}
	}
	return said
}

// endsNear returns the ends of units within a second of the begin of an outage, with a fault on them that may have done
// it, in the order of time.
func endsNear(r *result.Result, in *result.Incident) (list []*result.Event) {
	for _, name := range in.Faults {
		if f := faultNamed(r, name); f != nil {
			for _, e := range endsUnder(r, f, in.Begin-ownEndWithin, in.Begin+ownEndWithin) {
				if !slices.Contains(list, e) {
					list = append(list, e)
				}
			}
		}
	}
	slices.SortStableFunc(list, func(a, b *result.Event) int { return cmp.Compare(a.T, b.T) })
	return list
}

// leftEnded returns the last event of a unit of a fault if that is its end: nothing started the unit again by the end
// of the load. It returns nil without such a unit, or if the kind of the fault ends units itself.
func leftEnded(r *result.Result, f *result.FaultRecord) *result.Event {
	list := endsUnder(r, f, result.Num(math.Inf(-1)), result.Num(math.Inf(1)))
	end := loadEnd(r)
	for _, e := range list {
		again := func(other result.Event) bool { return other.Unit == e.Unit && other.T > e.T && other.T <= end }
		if !slices.ContainsFunc(r.Events, again) {
			return e
		}
	}
	return nil
}

// endedLater says which unit ended within a second after an outage had begun, as a clause: that may be its effect. It
// is empty without one.
func endedLater(r *result.Result, in *result.Incident) string {
	e := endBetween(r, in.Begin, in.Begin+ownEndWithin)
	if e == nil {
		return ""
	}
	return "; " + Clean(e.Unit) + " " + endedSo(r, e) + " " + Seconds(e.T-in.Begin) + " later"
}

// succeeded reports whether a unit ended as a job does that is done.
func succeeded(e *result.Event) bool { return e.Text == "exit code 0" || e.Text == "exit status 0" }

// called reports whether the load or another service of the target calls the service of a unit.
func called(r *result.Result, unit string) bool {
	service := slo.ServiceOf(unit)
	return service == r.Environment.Entry || slices.ContainsFunc(r.Links, func(l result.Link) bool {
		return slo.ServiceOf(l.To) == service
	})
}

const (
	// ownEndWithin is the longest time between the end of a unit and the begin of the outage that it explains, in
	// seconds.
	ownEndWithin = 1
	// reportedLate is the longest time by which the end of a unit is reported after the failures that it causes, in
	// seconds.
	reportedLate = .1
)

// injectedIn returns how many faults were injected in outages, apart from the one that did them. What they did to them
// is not known.
func injectedIn(r *result.Result, list []*result.Incident, by *result.FaultRecord) (n int64) {
	for i := range r.Faults {
		f := &r.Faults[i]
		if f != by && slices.ContainsFunc(list, func(in *result.Incident) bool {
			return f.Injected > max(in.Begin, by.Injected) && f.Injected < in.End
		}) {
			n++
		}
	}
	return n
}

// endSentence says that the worst outage began as a unit ended that no fault was on. It is nil if none did.
func endSentence(r *result.Result, in *result.Incident) Text {
	if in == nil || in.Bad == 0 || !decidedByBad(r) {
		return nil
	}
	e := endAt(r, in)
	if e == nil {
		return nil
	}
	return Text{}.say("When ").strong(Clean(e.Unit)).say(" " + endedSo(r, e) + ", " + extent(r, in) + " for ").
		strong(incidentLength(in)).
		say(pick(in.Over, "", ", to the end of the run") + elsewhere(r, []*result.Incident{in}) + ".")
}

// overloadSentence says that the target fell behind the load before an outage that no fault did. It is nil if it did
// not, or if brunt itself may be the reason.
func overloadSentence(r *result.Result, in *result.Incident) Text {
	from, last := fellBehind(r)
	if from == nil || in == nil || in.Begin < from.T || !r.Generator.Healthy {
		return nil
	}
	return Text{}.say("The target fell behind at about ").strong(offeredRate(from)).say(", and " + offeredRate(last) +
		" were asked for.")
}

// oneReason reports whether several objectives failed, all by the worst outage: it holds nearly all bad requests of the
// run, and each of the objectives is about the run or about the fault that did it.
func oneReason(r *result.Result) bool {
	in, f := worstOutage(r)
	run := PhaseRowOf(r, slo.Phase{Kind: slo.RunPhase})
	if f == nil || run == nil || len(r.Incidents) != 1 {
		return false
	}
	failed := 0
	for i := range r.Objectives {
		o := &r.Objectives[i]
		if o.Verdict != scenarios.Fail {
			continue
		}
		failed++
		row := o.Of().Row()
		if !row.CountsBad && !row.Recovers ||
			o.Phase.Kind != slo.RunPhase && o.Phase.Of(slo.FaultPhase) != f.Phase() && o.Phase.Kind != slo.IncidentPhase {
			return false
		}
	}
	return failed > 1 && 20*failedIn(in) >= 19*run.Bad
}

// decidedByBad reports whether an objective failed that bad requests count against, or that asks about a recovery.
func decidedByBad(r *result.Result) bool {
	return slices.ContainsFunc(r.Objectives, func(o result.ObjectiveResult) bool {
		row := o.Of().Row()
		return o.Verdict == scenarios.Fail && o.List == "" && o.Phase.Kind != slo.BaselinePhase &&
			(row.CountsBad || row.Recovers)
	})
}

// incidentLength formats how long an incident lasted, for a sentence.
func incidentLength(in *result.Incident) string {
	return pick(in.Over, "", "over ") + Seconds(lasted(in))
}

// lasted returns how long an incident is known to have lasted, in seconds. Of one that was not over by the end of the
// load, that is up to the time from which the load was good, or may have been.
func lasted(in *result.Incident) result.Num {
	if goodAtEnd(in) {
		return in.EndLow - in.Begin
	}
	return in.End - in.Begin
}

// goodAtEnd reports whether no harm is shown from some time of an incident to the end of the load, for less than a
// hold.
func goodAtEnd(in *result.Incident) bool {
	return !in.Over && in.EndLow > in.Begin && in.EndLow < in.End
}

// extent says how many requests of an incident were bad.
func extent(r *result.Result, in *result.Incident) string {
	did := "failed"
	if slow := in.Kinds[slowKind]; slow > 0 {
		did = "failed or took " + TooSlow(r)
		if slow == in.Bad {
			did = "took " + TooSlow(r)
		}
	}
	switch share := float64(in.Bad) / float64(max(in.Requests, in.Bad, 1)); {
	case in.Bad >= in.Requests:
		return "every request " + did
	case share >= .95:
		return "nearly every request " + did
	case goodAtEnd(in): // the requests of the incident include those up to the end of the load
		return Plural(in.Bad, "request", "requests") + " " + did
	case in.Requests < fewRequests: // a share of other requests than an objective's share is of would confuse
		return Count(in.Bad) + " of " + Count(in.Requests) + " requests " + did
	default:
		return Percent(share) + " of requests " + did
	}
}

// fewRequests is the number of requests from which on a share of them says more than their count.
const fewRequests = 20

// TooSlow names the response time from which on an answer is too slow, as in over 500ms.
func TooSlow(r *result.Result) string {
	for i := range r.Faults {
		if f := &r.Faults[i]; f.Slow > 0 {
			return "over " + SlowLimits(f)
		}
	}
	return "too long"
}

// verbOf returns the verb for what a fault did to its units or links. It is empty for a kind without a verb, for a
// group, and for a fault that is not shown to have had its full effect.
func verbOf(f *result.FaultRecord) string {
	if len(f.Hit()) == 0 || len(f.Steps) > 0 || f.Part || f.NotShown != "" {
		return ""
	}
	return f.Nature.Verb
}

// faultClause says what a fault did to what, as a clause such as "the only replica of posts died". Without a verb it
// gives the name.
func faultClause(r *result.Result, f *result.FaultRecord) Text {
	verb := verbOf(f)
	if verb == "" {
		return Text{}.strong(Clean(f.Name)).say(" was in")
	}
	t, many := hitWords(r, f)
	if linked(f) && f.Nature.LinkVerb != "" {
		verb = f.Nature.LinkVerb
	}
	if verb == "died" {
		return t.say(" died")
	}
	return t.say(pick(many, " were ", " was ") + verb)
}

// hitWords names the links or the units that a fault hit.
func hitWords(r *result.Result, f *result.FaultRecord) (t Text, many bool) {
	if linked(f) {
		return linkWords(r, f)
	}
	return unitWords(r, f)
}

func pick(many bool, plural, singular string) string {
	if many {
		return plural
	}
	return singular
}

// linked reports whether a fault acted on links and not on units.
func linked(f *result.FaultRecord) bool {
	return len(f.Hit()) > 0 && !slices.ContainsFunc(f.Hit(), func(s string) bool { return !strings.Contains(s, "->") })
}

// linkWords names the links that a fault hit by the services at their ends, such as "the link from posts to store".
// Links within a service are those of the one unit that all of them share, or have units at their ends.
func linkWords(r *result.Result, f *result.FaultRecord) (t Text, many bool) {
	var ends []string
	links, shared := f.Hit(), strings.Split(f.Hit()[0], "->")
	for _, l := range links {
		from, to, _ := strings.Cut(l, "->")
		shared = slices.DeleteFunc(shared, func(unit string) bool { return unit != from && unit != to })
		if a, b := slo.ServiceOf(from), slo.ServiceOf(to); a != b {
			from, to = a, b
		}
		end := "from " + from + " to " + to
		if from == "" {
			end = "to " + to
		}
		if !slices.Contains(ends, end) {
			ends = append(ends, end)
		}
	}
	if len(shared) == 1 && slices.ContainsFunc(links, withinService) {
		one := *f
		one.Units, one.Links = shared, nil
		unit, _ := unitWords(r, &one)
		return append(t.say("the links of "), unit...), true
	}
	if left := len(ends) - 3; left > 0 {
		ends = append(ends[:3], Plural(int64(left), "other", "others"))
	}
	return Text{}.say(pick(len(links) > 1, "the links ", "the link ")).strong(Clean(Join(ends))), len(links) > 1
}

// withinService reports whether a link connects units of one service.
func withinService(link string) bool {
	from, to, _ := strings.Cut(link, "->")
	return slo.ServiceOf(from) == slo.ServiceOf(to)
}

// replicas returns the units of one service that a fault hit and how many replicas it has. It returns no service if
// the fault hit units of several services, or if the number of replicas is not known.
func replicas(r *result.Result, f *result.FaultRecord) (service string, hit, all int) {
	if linked(f) || len(f.Units) == 0 || len(f.Steps) > 0 {
		return "", 0, 0
	}
	service = slo.ServiceOf(f.Units[0])
	for _, u := range f.Units {
		if slo.ServiceOf(u) != service {
			return "", 0, 0
		}
	}
	if all = r.Environment.Replicas[service]; all == 0 {
		return "", 0, 0
	}
	return service, len(f.Units), all
}

// onlyReplica returns the service of which a fault hit the only replica, or "".
func onlyReplica(r *result.Result, f *result.FaultRecord) string {
	if service, hit, all := replicas(r, f); hit == 1 && all == 1 {
		return service
	}
	return ""
}

// unitWords names the units that a fault hit, by their role or their share of the replicas where that is known.
func unitWords(r *result.Result, f *result.FaultRecord) (t Text, many bool) {
	service, hit, all := replicas(r, f)
	switch {
	case hit > 0 && hit == all && all == 1:
		return t.say("the only replica of ").strong(Clean(service)), false
	case hit > 0 && hit == all:
		return t.say("all " + Int(int64(all)) + " replicas of ").strong(Clean(service)), true
	case len(f.Units) == 1 && (f.Role == "leader" || f.Leader):
		return t.say("the leader ").strong(Clean(f.Units[0])), false
	case len(f.Units) == 1 && f.Role == "follower":
		return t.say("the follower ").strong(Clean(f.Units[0])), false
	case hit > 3:
		return t.say(Int(int64(hit)) + " of " + Int(int64(all)) + " replicas of ").strong(Clean(service)), true
	}
	units := f.Units
	if len(units) > 3 {
		return t.strong(Clean(Join(units[:2]))).say(" and " + Int(int64(len(units)-2)) + " other units"), true
	}
	return t.strong(Clean(Join(units))), len(units) > 1
}
