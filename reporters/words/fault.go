package words

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// FaultTarget describes a fault's kind, its targets and its mechanism.
func FaultTarget(f *result.FaultRecord) string {
	s := Clean(f.Kind)
	if n := len(f.Steps); n > 0 {
		return s + " of " + Plural(int64(n), "step", "steps") + ", via " + Clean(f.Via)
	}
	if hit := f.Hit(); len(hit) > 0 {
		s += " on " + Clean(Join(hit))
	}
	if len(f.Units) > 0 {
		s += roleOf(f.Role, f.RoleSaid, f.Leader, len(f.Units)) + ledBy(f.Led, f.Units)
	}
	if len(f.Zones) > 0 {
		s += " (zone " + Clean(Join(f.Zones)) + ")"
	}
	if f.Via != "" {
		s += ", via " + Clean(f.Via)
	}
	return s
}

// mostSaid bounds the shown part of the answer that tells a unit's role, in characters.
const mostSaid = 100

// roleOf describes the role of n units, and the answer that tells it. Older results know only the leader.
func roleOf(role, said string, leader bool, n int) string {
	what := ""
	switch {
	case role == "follower" && n > 1:
		what = "followers"
	case role == "follower":
		what = "a follower"
	case role == "leader" || leader:
		what = "the leader"
	default:
		return ""
	}
	if said = Clean(said); said != "" {
		what += ", because asked: " + Clip(said, mostSaid)
	}
	return " (" + what + ")"
}

// ledBy names the unit that led when units were hit, unless it is the only one of them.
func ledBy(led string, units []string) string {
	switch {
	case led == "" || len(units) == 1 && units[0] == led:
		return ""
	case slices.Contains(units, led):
		return ", of which " + Clean(led) + " led"
	}
	return ", while " + Clean(led) + " led"
}

// FaultSteps describes each step of a group: its action and its time. It is nil if the fault is not a group.
func FaultSteps(f *result.FaultRecord) []Pair {
	var out []Pair
	for i := range f.Steps {
		s := &f.Steps[i]
		text := Clean(s.Kind)
		if len(s.Units) > 0 {
			text += " on " + Clean(Join(s.Hit())) + roleOf(s.Role, s.RoleSaid, s.Leader, len(s.Units)) + ledBy(s.Led, s.Units)
		}
		if s.Injected.Known() {
			text = "in at " + Offset(s.Injected) + ", " + text
			if s.Cleared.Known() {
				text += ", over at " + Offset(s.Cleared)
			}
		} else {
			text += ", not injected"
		}
		for _, more := range []string{s.Evidence, notShown(s.NotShown), s.Note} {
			if more != "" {
				text += "; " + Clean(more)
			}
		}
		name, _ := strings.CutPrefix(s.Name, f.Name+".")
		out = append(out, Pair{Clean(name), text})
	}
	return out
}

// FaultEvidence describes the effect of a fault on its unit: what was seen, and what was not shown.
func FaultEvidence(f *result.FaultRecord) string {
	seen, not := Clean(f.Evidence), Clean(notShown(f.NotShown))
	if seen != "" && not != "" {
		seen += "; "
	}
	return seen + not
}

func notShown(what string) string {
	if what == "" {
		return ""
	}
	return "not shown: " + what
}

// FaultSpan describes when a fault was in: from its injection to its end.
func FaultSpan(f *result.FaultRecord) string {
	s := "in from " + Offset(f.Injected) + " to " + Offset(f.Cleared)
	if Judged(f) {
		s += ", judged until " + Offset(f.Until)
	}
	return s
}

// FaultTimes describes when a fault was in, when it did harm, and when the load was good again.
func FaultTimes(f *result.FaultRecord) string {
	s := FaultSpan(f)
	if f.Impact == result.NotImpacted || f.NoOutage() {
		return s
	}
	recovered, heal := f.Recover, f.Heal
	if recovered == f.Failover {
		recovered = result.NaN
	}
	if heal <= 0 || f.StaysDown {
		heal = result.NaN
	}
	again := "good again after "
	if waitsUntold(f) {
		again, heal = "no failed request after ", result.NaN
	}
	for _, t := range []struct {
		before string
		n      result.Num
		after  string
	}{
		{"first harm after ", f.Onset, ""},
		{again, f.Failover, " while it was in"},
		{again, recovered, ""},
		{"", heal, " after " + whatIsBack(f)},
		{"its end cost ", Rejoin(f), ""},
	} {
		if t.n.Known() {
			s += ", " + t.before + Seconds(t.n) + t.after
		}
	}
	if f.Impact == result.Impacted && f.Resolution.Known() && f.Resolution > 0 {
		s += " (±" + Seconds(f.Resolution) + ")"
	}
	return s
}

// Judged reports whether the phase of a fault lasts clearly longer than the fault is active. The phase of a one-shot
// fault lasts at least 5 s.
func Judged(f *result.FaultRecord) bool {
	return f.Cleared.Known() && f.Until.Known() && f.Until > f.Cleared+.05
}

// FaultEffect describes the effect of a fault on the load.
func FaultEffect(f *result.FaultRecord) string {
	s := ""
	switch f.Impact {
	case result.Impacted:
		s = impactedBy(f)
		if OnlySlower(f) {
			s = "impact: " + withinLimit(f)
		}
	case result.NotImpacted:
		s = withinLimit(f)
	case result.NotRecovered:
		s = impactedBy(f) + "; " + notRecovered(f)
	case result.Confounded:
		s = "its effect can't be separated"
		if f.OnsetAt.Known() && f.Because.Has(result.OtherNext) { // the harm is known, and only its end is not
			s = impactedBy(f) + "; whether the load recovered is not known"
		}
	case result.NotInjected:
		s = "it was not injected"
		if f.Skipped {
			s = "it was skipped"
		}
	case result.UnknownYet:
		s = "there is too little data to tell what it did"
		if f.Note != "" {
			s = "what it did is not known"
		}
		if mayBeSlower(f) {
			s = withinLimit(f)
		}
		if surelySlower(f) {
			s = "answers were slower, and whether there was an outage is not known" + alsoShed(f.Parts, " of requests")
		}
		if f.OnsetAt > 0 { // the harm is known, and only its end is not
			s = impactedBy(f) + "; whether the load recovered is not known"
		}
	default:
		s = Clean(string(f.Impact))
	}
	if f.Note != "" {
		s = strings.TrimSuffix(s, ".") + ": " + Clean(f.Note)
	}
	if p := f.Parts; p != nil && p.Lost > 0 && f.Impact != result.Impacted && f.Impact != result.NotRecovered {
		s = strings.TrimSuffix(s, ".") + "; " + lostWere(p.Lost, p.LostMessages) + " lost"
	}
	if p := f.Parts; p != nil && p.LostShared > 0 && !saysShared(f) {
		s = strings.TrimSuffix(s, ".") + sharedLoss(p)
	}
	s = syntax.Sentence(s)
	if p := f.Parts; p != nil && p.Late > 0 {
		s += " " + Plural(p.Late, "acknowledged write was", "acknowledged writes were") + " late."
	}
	if p := f.Parts; p != nil && (p.Lacking || p.LackingUntold) {
		s += " " + Plural(p.Partial, "good answer", "good answers") + " lacked some of what their steps want, " +
			Percent(float64(p.PartialBefore)) +
			" of those before"
		if p.LackingUntold {
			s += ", which may be chance"
		}
		s += "."
	}
	if f.Escape != nil {
		s = strings.TrimSuffix(s+" "+EscapeEnd(f.Escape), " ")
	}
	if l := FaultLatency(f); l != "" {
		s += " " + l
		if waitsUntold(f) {
			s += " None of them is judged slow, so the times are those of failed requests alone."
		}
	}
	return s
}

// notRecovered says that a load had not recovered from a fault by the end of the run, and why.
func notRecovered(f *result.FaultRecord) string {
	s := "not recovered by the end of the run"
	switch f.Unrecovered {
	case result.StillAway:
		return s + ": the fault was in, or not proved to be gone, or a unit that it hit was away"
	case result.GoneTooShort:
		return s + ", which was too soon after the fault to tell"
	case result.LoadRaised:
		return s + ", and the load was higher than in the baseline"
	case result.LoadUntold:
		return s + ", although the fault was gone; whether the load was higher than in the baseline is not known"
	case result.GoneStillHarm:
		return s + ", although the fault was gone and the load was that of the baseline"
	case result.Stuck:
		return "stuck: not recovered although the fault was gone, until the load was lowered"
	}
	return s
}

// shareBefore adds the share of bad requests before a fault, where the share during it is over the limit; else it is
// empty.
func shareBefore(f *result.FaultRecord) string {
	p, before := f.Parts, 0.
	for _, n := range []result.Num{p.ErrorsBefore, p.SlowBefore} {
		if n.Known() {
			before += float64(n)
		}
	}
	if before == 0 || !(float64(p.Bad()) > float64(f.Limit)*float64(p.Requests)) {
		return ""
	}
	return ", and " + Percent(before) + " before"
}

// withinLimit describes a fault during which the share of bad requests stayed within the limit.
func withinLimit(f *result.FaultRecord) string {
	limit := "the limit"
	if f.Limit.Known() && f.Limit > 0 {
		limit += " of " + Percent(float64(f.Limit))
	}
	p, also := f.Parts, alsoShed(f.Parts, " of requests")
	switch {
	case p == nil:
		return "none seen: bad requests stayed within " + limit
	case p.Bad() > 0 && p.Requests > 0:
		s := ""
		switch slower := p.Slower(); slower.Answer {
		case result.Yes:
			s = "the load was slower, and bad requests were "
		case result.Untested:
			s = pick(slowerDuring(f), "the load was slower meanwhile (", "the load may have been slower (") +
				Clean(slower.Why.Phrase(nil)) + "), and bad requests were "
		case result.No:
		}
		s += fmt.Sprintf("%s %s: %s, %s", pick(f.Beyond(), "not certainly over", "within"), limit, badRequests(f, p.Bad()),
			Percent(float64(p.Bad())/float64(p.Requests))+shareBefore(f))
		if f.TooFew() {
			s = fmt.Sprintf("too few requests to tell: %s of %s", badRequests(f, p.Bad()), Count(p.Requests))
			if f.Beyond() {
				s += ", beyond " + limit
			}
		}
		if p.First.Known() {
			s += ", from " + Offset(p.First) + " to " + Offset(p.Last)
		}
		if out := stepOutage(f); out != nil {
			s += "; " + Clean(out.Phrase())
		}
		return s + also
	}
	switch slower := p.Slower(); slower.Answer {
	case result.Yes:
		return "no request failed, and the load was slower" + also
	case result.Untested:
		return "no request failed, and the load " + pick(slowerDuring(f), "was slower meanwhile", "may have been slower") +
			": " + Clean(slower.Why.Phrase(nil)) + also
	case result.No:
	}
	if p.Lacking || p.LackingUntold {
		return "no request failed" + also
	}
	if n := len(f.FailedObjectives); n > 0 {
		return "no request failed" + also + ", and " + Plural(int64(n), "objective", "objectives") +
			" on it failed: " + Clean(strings.Join(f.FailedObjectives, "; "))
	}
	if p.Shed > 0 {
		return pick(shedMore(p), "", "none seen: ") + "no request failed, and " + shedShare(p, "") + " while it was in"
	}
	return "none seen: no request failed"
}

// shedMore reports whether the target shed over twice as large a share of requests in a fault as before it.
func shedMore(p *result.ImpactParts) bool {
	return p != nil && p.Shed > 0 && !(shareShed(p) <= 2*float64(p.ShedBefore))
}

// alsoShed says which share of requests was shed in a fault, as a clause; empty if it was not more than before it.
func alsoShed(p *result.ImpactParts, of string) string {
	if !shedMore(p) {
		return ""
	}
	return "; " + shedShare(p, of)
}

// shedMuch reports whether the target shed more in a fault than before it, and a larger share of requests than may be
// bad. An objective on shed allows that, because the requests would count as bad without one.
func shedMuch(f *result.FaultRecord) bool {
	return shedMore(f.Parts) && shareShed(f.Parts) > float64(f.Limit)
}

func shareShed(p *result.ImpactParts) float64 { return float64(p.Shed) / float64(max(1, p.Requests)) }

// shedShare says which share of requests was shed in a fault and before it.
func shedShare(p *result.ImpactParts, of string) string {
	s := Percent(shareShed(p)) + of + " were shed"
	if p.ShedBefore.Known() {
		s += " (" + Percent(float64(p.ShedBefore)) + " before)"
	}
	return s
}

// OnlySlower reports whether slower answers are the only impact of a fault.
func OnlySlower(f *result.FaultRecord) bool {
	return f.NoOutage() && f.Parts.Slower().Answer == result.Yes && f.Parts.Lost == 0
}

// mayBeSlower reports whether a fault had no known effect, but answers may have been slower. Results of older
// versions record such a fault as one without an impact.
func mayBeSlower(f *result.FaultRecord) bool {
	return (f.Impact == result.UnknownYet && !f.OnsetAt.Known() || f.Impact == result.NotImpacted) &&
		f.Parts != nil && f.Parts.Requests > 0 && f.Parts.Slower().Answer == result.Untested
}

// stepOutage returns the outage of one step in a fault of which no impact on all requests is known but slower answers;
// nil without one.
func stepOutage(f *result.FaultRecord) *result.StepOutage {
	if f.Parts == nil || f.Impact != result.NotImpacted && !f.NoOutage() && !mayBeSlower(f) {
		return nil
	}
	return f.Parts.StepOutage
}

// onlySlownessOpen reports whether nothing but this is not known of a fault: whether it made answers slower.
func onlySlownessOpen(f *result.FaultRecord) bool {
	return mayBeSlower(f) && !f.TooFew() && f.Parts.LostShared == 0
}

// surelySlower reports whether a fault is shown to have made answers slower, while it is not known whether there was an
// outage.
func surelySlower(f *result.FaultRecord) bool {
	return f.Impact == result.UnknownYet && !f.OnsetAt.Known() && f.Parts != nil && f.Parts.Lost == 0 &&
		f.Parts.LostShared == 0 && f.Parts.Requests > 0 && f.Parts.Slower().Answer == result.Yes
}

// HadOutage reports whether a fault's impact included a degradation to recover from.
func HadOutage(f *result.FaultRecord) bool {
	return (f.Impact == result.Impacted || f.Impact == result.NotRecovered) && !f.NoOutage()
}

// Recover returns the time to recovery for tables. It is not 0s but – if there was nothing to recover from, and a bound
// if the times are those of failed requests alone.
func Recover(f *result.FaultRecord) string { return unlessNoOutage(f, f.Recover) }

// Heal returns the time from the clearing to recovery for tables; see [Recover].
func Heal(f *result.FaultRecord) string { return unlessNoOutage(f, f.Heal) }

func unlessNoOutage(f *result.FaultRecord, n result.Num) string {
	if f.NoOutage() {
		n = result.NaN
	}
	if n.Known() && waitsUntold(f) {
		return "at least " + Seconds(n)
	}
	return Seconds(n)
}

// FailoverAt returns the time at which the target was good again although the fault was still active.
func FailoverAt(f *result.FaultRecord) result.Num { return HarmedFrom(f) + f.Failover }

// HarmedFrom returns the time from which failover, recover and back count: the injection, or for a group the begin of
// its incident.
func HarmedFrom(f *result.FaultRecord) result.Num {
	if f.Kind == result.GroupKind && f.OnsetAt.Known() {
		return f.OnsetAt
	}
	return f.Injected
}

// Rejoin returns the harm of the fault's end for tables, in seconds; it is unknown if there was none.
func Rejoin(f *result.FaultRecord) result.Num {
	cost, _ := Rejoined(f)
	return cost
}

// Rejoined returns the harm of a fault's end, as [result.FaultRecord.Rejoined] does. Of a fault that takes no unit
// away, harm that began before its end is no harm of its end: nothing rejoined.
func Rejoined(f *result.FaultRecord) (cost result.Num, ok bool) {
	if cost, ok = f.Rejoined(); f.RejoinAt+f.Resolution < f.Cleared && f.Nature.Verb != "" &&
		!f.Nature.Away() {
		return result.NaN, false
	}
	return cost, ok
}

// rejoinText says in how much time the target recovered while a fault was in, and what the end of the fault cost then.
// ok is false if the end of the fault did no harm of its own.
func rejoinText(f *result.FaultRecord) (said string, ok bool) {
	cost, ok := Rejoined(f)
	switch {
	case !ok:
		return "", false
	case f.Back > 0:
		said = "recovered in " + Seconds(f.Back)
	default:
		said = "good while it was in"
	}
	if !cost.Known() {
		return said + "; not recovered from rejoining", true
	}
	return said + "; rejoining cost " + Seconds(cost), true
}

// SlowLimits returns the response time above which an answer is slow. If steps have different limits, it returns
// their range.
func SlowLimits(f *result.FaultRecord) string {
	if f.SlowLeast > 0 && f.SlowLeast < f.Slow {
		return Seconds(f.SlowLeast) + " to " + Seconds(f.Slow) + " by step"
	}
	return Seconds(f.Slow)
}

// badRequests counts requests that failed or were slow.
func badRequests(f *result.FaultRecord, n int64) string {
	s := Plural(n, "request", "requests") + " failed"
	if f.Slow.Known() && f.Slow > 0 {
		s += " or took over " + SlowLimits(f)
		if f.SlowFrom != "" {
			s += " (from the " + f.SlowFrom + ")"
		}
	}
	return s
}

// FaultLatency returns a sentence on the response times of good answers during a fault and in the baseline; empty if
// they are unknown.
func FaultLatency(f *result.FaultRecord) string {
	p := f.Parts
	if p == nil || !p.P50.Known() || !p.P50Before.Known() {
		return ""
	}
	return "Good answers, from the baseline to the fault: p50 " + change(p.P50Before, p.P50) + ", p95 " +
		change(p.P95Before, p.P95) + "."
}

// change formats a time before and after, and their ratio if it is at least 1.5.
func change(before, after result.Num) string {
	s := Seconds(before) + " → " + Seconds(after)
	if f := float64(after / before); before > 0 && f >= 1.5 && !math.IsInf(f, 0) {
		s += " (" + Number(f) + "x)"
	}
	return s
}

func impactedBy(f *result.FaultRecord) string {
	s := "impact"
	switch {
	case f.Onset.Known() && f.Onset < 0.001:
		s += " at once"
	case f.Onset.Known():
		s += " " + Seconds(f.Onset) + " after the injection"
	}
	again := ", good again "
	if waitsUntold(f) {
		again = ", no failed request from "
	}
	if said, rejoined := rejoinText(f); rejoined {
		s += ", " + said
		again = ", for good "
	} else if f.Failover.Known() {
		s += ", good again after " + Seconds(f.Failover) + " with the fault still in"
		again = ", for good "
	}
	if f.Recover.Known() && f.Impact == result.Impacted && !f.NoOutage() && f.Recover != f.Failover {
		from := "the injection"
		if f.Kind == result.GroupKind { // a group is judged as one incident
			from = "that"
		}
		s += again + Seconds(f.Recover) + " after " + from
		if waitsUntold(f) {
			s += " on"
		} else if f.Heal.Known() && f.Heal > 0 && !f.StaysDown {
			s += " and " + Seconds(f.Heal) + " after " + whatIsBack(f)
		}
	}
	if f.RelapsedAt > 0 {
		s += ", relapsed at " + Offset(f.RelapsedAt)
	}
	return s + "; " + FaultCost(f)
}

// FaultCost describes how many requests failed because of a fault, and for how long the service was degraded.
func FaultCost(f *result.FaultRecord) string {
	s := badRequests(f, f.Failed)
	if f.Failed == 0 {
		s = "no request failed"
	}
	if f.Degraded.Known() && f.Degraded > 0 {
		s += " in " + Seconds(f.Degraded) + " of degraded service"
	}
	if p := f.Parts; p != nil {
		if p.Shed > 0 {
			s += "; " + Plural(p.Shed, "request was", "requests were") + " shed while it was in"
		}
		if p.Lost > 0 {
			s += "; " + lostWere(p.Lost, p.LostMessages) + " lost"
		}
		if p.LostShared > 0 {
			s += sharedLoss(p)
		}
	}
	return s
}

// sharedLoss describes the writes that were lost to a fault or to another one, or to none.
func sharedLoss(p *result.ImpactParts) string {
	return "; " + lostWere(p.LostShared, p.LostSharedMessages) + " lost to it or to " +
		cmp.Or(anyOf(p.LostWith), "no fault")
}

// lostWere begins a sentence on n acknowledged writes and messages that were lost.
func lostWere(n, messages int64) string {
	writes, told := Plural(n-messages, "acknowledged write", "acknowledged writes"), Plural(messages, "message", "messages")
	switch {
	case messages == 0:
		return writes + wasOrWere(n)
	case messages == n:
		return told + wasOrWere(n)
	}
	return writes + " and " + told + " were"
}

func wasOrWere(n int64) string {
	if n == 1 {
		return " was"
	}
	return " were"
}

// saysShared reports whether the effect of a fault is described with the writes that were lost to it or to another.
func saysShared(f *result.FaultRecord) bool {
	return f.Impact == result.Impacted && !OnlySlower(f) || f.Impact == result.NotRecovered ||
		f.Because.Has(result.LossShared, result.MessagesShared, result.LossUnshown)
}

// FaultRevert describes whether a fault was undone.
func FaultRevert(f *result.FaultRecord) string {
	switch f.Revert {
	case "ok":
		return "taken back"
	case "gone":
		return "its unit was gone, so there was nothing to take back"
	case "unverified":
		return "taken back, unverified: no probe was answered"
	case "failed":
		return "could NOT be taken back"
	case "none", "":
		return "nothing to take back"
	}
	return Clean(f.Revert)
}

// FaultTraffic describes how much traffic the fault affected.
func FaultTraffic(f *result.FaultRecord) string {
	switch {
	case f.Impact == result.NotInjected:
		return ""
	case f.Traffic == 0:
		return "affected no traffic"
	}
	return "affected " + Traffic(f.Traffic, f.TrafficUnit)
}

// noTraffic reports whether a fault was in and no traffic of the load met it.
func noTraffic(f *result.FaultRecord) bool {
	return f.Injected.Known() && f.Traffic == 0 && f.TrafficUnit != ""
}

// Traffic formats an amount of traffic, in a unit of result.FaultRecord.
func Traffic(n int64, unit string) string {
	switch {
	case unit == "bytes":
		return Bytes(n)
	case n == 1:
		return "1 " + strings.TrimSuffix(Clean(unit), "s")
	}
	return Count(n) + " " + Clean(unit)
}

// FaultDetection describes whether the team's own monitoring detected a fault; empty if the scenario does not query
// it.
func FaultDetection(f *result.FaultRecord) string {
	if !f.Detect.Known() {
		return Clean(f.DetectNote)
	}
	s := "noticed " + Seconds(f.Detect) + " after the injection"
	if f.DetectResolution.Known() {
		s += ", or up to " + Seconds(f.DetectResolution) + " before that"
	}
	if f.DetectNote != "" {
		s += ": " + Clean(f.DetectNote)
	}
	return s
}

// FaultAlerts describes the team's own alerts after a fault; empty if there are none.
func FaultAlerts(f *result.FaultRecord) string {
	var out []string
	for i := range f.Alerts {
		a := &f.Alerts[i]
		s := Clean(a.Name)
		switch {
		case a.Note != "":
			s += ": " + Clean(a.Note)
		case !a.Fired.Known():
			s += " did not fire within " + Seconds(a.FiredFrom)
		default:
			s += " fired " + Seconds(a.Fired) + " after the injection"
			switch {
			case !a.Resolved.Known() && !a.StillFiring.Known(): // the fault is still active
			case !a.Resolved.Known():
				s += ", and still " + Seconds(a.StillFiring) + " after the clearing"
			case a.Resolved == 0:
				s += ", and no more when it was cleared"
			default:
				s += ", until " + Seconds(a.Resolved) + " after the clearing"
			}
		}
		out = append(out, s)
	}
	return strings.Join(out, "; ")
}

// faultVerdict returns a fault's result as a verdict: a fault that is not fully reverted fails, and a missing or
// unknown recovery stands out.
func faultVerdict(f *result.FaultRecord) scenarios.Verdict {
	switch {
	case f.Revert == "failed":
		return scenarios.NotReverted
	case f.Revert == "unverified":
		return scenarios.Invalid
	case f.Impact == result.NotRecovered:
		return scenarios.Fail
	case f.Parts != nil && f.Parts.Lost > 0:
		return scenarios.Fail
	case (f.Impact == result.NotImpacted || stepOutage(f) != nil) && len(f.FailedObjectives) > 0:
		return scenarios.Fail
	case stepOutage(f) != nil:
		return scenarios.Pass
	case f.TooFew(), mayBeSlower(f):
		return scenarios.Inconclusive
	case f.Impact == result.Impacted, f.Impact == result.NotImpacted:
		return scenarios.Pass
	}
	return scenarios.Inconclusive
}

// FaultMark returns the mark and the tone of a fault's outcome. It also marks a load that got much slower, even if no
// request failed, a target that shed requests, an outage of one step, a fault whose effect on its unit was shown only
// in part, and one that another fault cut short.
func FaultMark(f *result.FaultRecord) (mark, tone string) {
	v := faultVerdict(f)
	lacking := f.Parts != nil && (f.Parts.Lacking || f.Parts.LackingUntold)
	if v == scenarios.Pass && (OnlySlower(f) || stepOutage(f) != nil || f.NotShown != "" || lacking || shedMuch(f) ||
		f.Because.Has(result.FaultCut)) {
		return "!", "unsure"
	}
	return Mark(v), Tone(v)
}

// lostWhat names what was lost.
func lostWhat(n, messages int64) string {
	if messages == n {
		return "messages"
	}
	return "writes"
}

// FaultOutcome describes a fault's impact in a word or two.
func FaultOutcome(f *result.FaultRecord) string {
	if f.Revert == "failed" {
		return "not taken back"
	}
	if f.Revert == "unverified" {
		return "removal unverified"
	}
	if p := f.Parts; p != nil && p.Lost > 0 && f.Impact != result.NotRecovered && !f.OnsetAt.Known() {
		return lostWhat(p.Lost, p.LostMessages) + " lost"
	}
	if out := stepOutage(f); out != nil && !f.NoOutage() {
		return "outage of " + Clean(out.Step)
	}
	if onlySlownessOpen(f) {
		return pick(slowerDuring(f), "slower meanwhile", "slower, not certain")
	}
	if surelySlower(f) {
		return "slower"
	}
	if p := f.Parts; p != nil && p.LostShared > 0 && f.Impact == result.UnknownYet {
		return lostWhat(p.LostShared, p.LostSharedMessages) + " lost, cause unknown"
	}
	switch f.Impact {
	case result.Impacted:
		if OnlySlower(f) {
			return "slower"
		}
		if said, rejoined := rejoinText(f); rejoined {
			return said
		}
		if p := f.Parts; p != nil && p.Lost > 0 {
			return "recovered, " + lostWhat(p.Lost, p.LostMessages) + " lost"
		}
		return "recovered"
	case result.NotImpacted:
		switch p := f.Parts; {
		case f.TooFew():
			return "too few requests"
		case shedMuch(f) && len(f.FailedObjectives) == 0:
			return "requests shed"
		case p != nil && p.Bad() > 0:
			return "within limit"
		case len(f.FailedObjectives) > 0:
			return "objective failed"
		case p != nil && p.Lacking:
			return "partial answers"
		case p != nil && p.LackingUntold:
			return "partial answers, not certain"
		}
		return "none seen"
	case result.NotRecovered:
		if said, rejoined := rejoinText(f); rejoined {
			return said
		}
		switch f.Unrecovered {
		case result.GoneStillHarm, result.LoadUntold:
			return "fault gone, not recovered"
		case result.Stuck:
			return "stuck"
		case result.StillAway, result.GoneTooShort, result.LoadRaised:
		}
		return "not recovered"
	case result.NotInjected:
		if f.Skipped {
			return "skipped"
		}
		return "not injected"
	case result.UnknownYet:
		if f.OnsetAt > 0 {
			return "recovery unknown"
		}
		return "unknown"
	}
	return Clean(string(f.Impact))
}

// mostFaultEvents bounds the events of pods of one fault in words.
const mostFaultEvents = 12

// usualEvents lists events that every pod has. The description of a fault omits them.
var usualEvents = []string{"pod.scheduled", "pod.pulled", "pod.started", "pod.gone", "workload.ready"}

// FaultEvents lists the events of containers or pods during a fault as what, which is empty without any. Of tells
// which of the two they are.
func FaultEvents(f *result.FaultRecord) (of, what string) {
	var out []string
	left := 0
	of = "containers"
	for _, e := range f.Events {
		_, known := unitEvents[e.Event]
		pods := known && !strings.HasPrefix(e.Event, "container.")
		if pods {
			of = "pods"
		}
		switch {
		case slices.Contains(usualEvents, e.Event):
		case pods && len(out) == mostFaultEvents:
			left++
		default:
			what, _ := UnitEvent(e.Event, e.Text)
			out = append(out, strings.TrimSpace(Clean(e.Unit)+" "+what)+" at "+Offset(e.T))
		}
	}
	if left > 0 {
		out = append(out, fmt.Sprintf("and %d more", left))
	}
	return of, strings.Join(out, ", ")
}

// unitEvents describe the events of units, by their kinds.
var unitEvents = map[string]string{
	"unit.start": "was started", "unit.ready": "was ready", "unit.exit": "ended", "unit.error": "could not be started",
	"container.start": "started", "container.die": "ended",
	"container.oom":     "ran out of memory: the kernel killed a process of it",
	"container.restart": "was restarted by order", "container.health": "is", "container.pause": "was paused",
	"container.unpause": "went on",
	"container.gone":    "was removed", "watch.state": "said", "watch.silent": "fell silent",
	"pod.scheduled": "has a node", "pod.unschedulable": "gets no node", "pod.pulled": "has its image",
	"pod.waiting": "can't start",
	"pod.started": "started", "pod.ready": "became ready", "pod.unready": "is no longer ready", "pod.killed": "ended",
	"pod.oom": "ran out of memory: the kernel killed it", "pod.evicted": "is evicted",
	"pod.terminating": "was deleted, and ends", "pod.gone": "is gone",
	"probe.failed": "failed its probe", "hpa.desired": "is to have other pods", "workload.ready": "has ready pods:",
	"unit.replaced": "was replaced",
	"node.notready": "is not ready", "node.pressure": "runs short", "node.ready": "is ready again",
	"cluster.away": "The API server does not answer",
	"cluster.back": "The API server answers again",
}

// UnitEvent describes an event of a unit, by its kind and text, as an action of the unit. Known is false if the kind
// is not an action of a unit.
func UnitEvent(kind, text string) (what string, known bool) {
	what, known = unitEvents[kind]
	switch text = Clip(Clean(text), 160); {
	case text == "":
	case kind == "container.health", kind == "workload.ready":
		what += " " + text
	default:
		what += " (" + text + ")"
	}
	return what, known
}
