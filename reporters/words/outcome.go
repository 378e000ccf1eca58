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

// faultLines returns a row for each fault, and a heading that says whether all were verified and taken back.
func faultLines(r *result.Result) (title string, list []FaultLine) {
	if len(r.Faults) == 0 {
		return "", nil
	}
	verified, partly, missed, in := 0, 0, 0, 0
	ends := map[faultEnd]int{}
	for i := range r.Faults {
		f := &r.Faults[i]
		l := faultLine(r, f)
		l.Index = i
		list = append(list, l)
		if !f.Injected.Known() {
			continue
		}
		in++
		if f.Verified.Known() {
			verified++
		}
		if f.NotShown != "" {
			partly++
		}
		if noTraffic(f) {
			missed++
		}
		ends[howEnded(f)]++
	}
	if r.Going != nil {
		return "Faults", list
	}
	parts := []string{countOf(len(list), in, "took effect", "took effect", verified)}
	if partly > 0 {
		parts = append(parts, countOf(in, in, "shown only in part", "shown only in part", partly))
	}
	if missed > 0 { // the effect on the unit was seen, and the load did not meet it
		parts = append(parts, countOf(in, in, "affected no traffic", "affected no traffic", missed))
	}
	switch over := ends[takenBack] + ends[byItself]; {
	case ends[byItself] > 0:
		parts = append(parts, countOf(in, in, "is over", "are over", over))
	case over > 0 || ends[notEnded] > 0:
		parts = append(parts, countOf(in, in, "was taken back", "were taken back", over))
	}
	if n := ends[stays]; n > 0 {
		parts = append(parts, countOf(in, in, "stays", "stay", n))
	}
	if in == 0 {
		for i := range list {
			if saidOf(r, &r.Faults[i]) {
				list[i].Text = ""
			}
		}
		return "Faults: none was injected", list
	}
	if len(list) == 1 {
		return "Fault: " + strings.Join(parts, ", "), list
	}
	return "Faults: " + strings.Join(parts, ", "), list
}

// saidOf reports whether the sentence of the run says why a fault was not injected.
func saidOf(r *result.Result, f *result.FaultRecord) bool {
	if len(r.Reasons) == 0 {
		return false
	}
	first := &r.Reasons[0]
	return first.Refused() || first.Kind == result.NotStarted ||
		first.Kind == result.InjectionFailed && (first.Fault == f.Name || first.Fault == "")
}

// A faultEnd is how a fault ended.
type faultEnd int

const (
	notEnded  faultEnd = iota // it could not be taken back, or that is not proved
	takenBack                 // brunt took it back, or its unit is gone
	byItself                  // it had nothing to take back, and its unit is well again
	stays                     // it had nothing to take back, and what it did stays
)

func howEnded(f *result.FaultRecord) faultEnd {
	stay := f.StaysDown || leaves(f.Nature, f.Revert)
	for i := range f.Steps {
		s := &f.Steps[i]
		stay = stay || s.StaysDown || s.Injected.Known() && leaves(s.Nature, s.Revert)
	}
	switch {
	case stay:
		return stays
	case f.Revert == "none" && f.Gone:
		return byItself
	case f.Gone || f.Revert == "ok" || f.Revert == "gone":
		return takenBack
	}
	return notEnded
}

// leaves reports whether nothing takes back what a fault of the author's own did.
func leaves(n scenarios.Nature, revert string) bool {
	return revert == "none" && n.Does(scenarios.Own)
}

// countOf says how many of several faults did something, in the words for one and for many.
func countOf(all, in int, one, many string, n int) string {
	switch {
	case n == all && all == 1:
		return one
	case n == all && n == in:
		return "all " + many
	}
	return Int(int64(n)) + " of " + Int(int64(all)) + " " + pick(n != 1, many, one)
}

func faultLine(r *result.Result, f *result.FaultRecord) FaultLine {
	l := FaultLine{Name: Clean(f.Name), Outcome: FaultOutcome(f), Expected: FaultExpected(f), People: people(f)}
	l.Mark, l.Tone = FaultMark(f)
	own := outagesOf(r, f)
	in := sumOf(own)
	switch {
	case !f.Injected.Known():
		l.Text = Clean(f.Note)
	case f.Revert == "failed", f.Revert == "unverified":
		l.Text = strings.TrimSuffix(FaultEffect(f), ".")
	case noTraffic(f) && in == nil && !HadOutage(f):
		l.Mark, l.Tone, l.Outcome, l.Text = "?", "unsure", "met no traffic", "what it does to the load is not known"
	case in != nil, HadOutage(f):
		o := outage{f: f, bad: f.Failed, lasted: harmLength(f, own), end: f.RecoveredAt, slow: f.Slow > 0, most: f.Slow}
		if !(f.Slow > 0) {
			o.most = 0
			for i := range r.Loads {
				o.most = max(o.most, r.Loads[i].Timeout)
			}
		}
		if row := PhaseRowOf(r, f.Phase()); row != nil && row.Ok.Count > 0 && row.Ok.Response.Max < o.most {
			o.most = row.Ok.Response.Max
		}
		if in != nil {
			o.bad, o.end, o.slow = in.Bad, in.End, in.Kinds[slowKind] > 0
			if !in.Over {
				o.end = result.NaN
			}
			if !goodAtEnd(in) { // else they include those up to the end of the load
				o.of = in.Requests
			}
		}
		if waitsUntold(f) {
			if in == nil || in.Over {
				o.lasted = "at least " + o.lasted
			}
			if row := PhaseRowOf(r, f.Phase()); row != nil && row.Ok.Count > 0 {
				o.longest = row.Ok.Response.Max
			}
		}
		o.onlySlow = onlyTooSlow(r, f)
		l.Outcome, l.Text, l.Outage = "outage of "+o.lasted, o.text(), true
		if len(own) > 1 {
			l.Outcome = Int(int64(len(own))) + " outages, " + o.lasted
		}
		if o.onlySlow {
			l.Outcome, l.Times, l.Outage = slowingOf(r, f).outcome()+" for "+o.lasted, true, false
		}
		l.Mark, l.Tone = "!", "unsure"
		if len(f.FailedObjectives) > 0 || !o.end.Known() {
			l.Mark, l.Tone = "✗", "bad"
		}
	case f.Parts != nil && f.Parts.Lost > 0:
		l.Text = lostWere(f.Parts.Lost, f.Parts.LostMessages) + " lost"
		if f.Parts.Bad() == 0 {
			l.Text += "; no request failed"
		}
	case OnlySlower(f):
		l.Outcome, l.Text, l.Times = slowingOf(r, f).outcome(), slowerText(r, f), true
	case stepOutage(f) != nil:
		l.Text, l.Outage = stepOutageText(f), true
	case f.Impact == result.NotImpacted && !f.TooFew() && !mayBeSlower(f) && len(f.FailedObjectives) == 0 &&
		(f.Parts == nil || !f.Parts.Lacking && !f.Parts.LackingUntold && f.Parts.Lost == 0):
		l.Text = survivedText(f)
		switch {
		case shedMuch(f):
		case f.NotShown != "": // that the target withstood it is not known
			l.Outcome = "none seen"
		case f.Because.Has(result.FaultCut): // nor that it withstands all of it
			l.Outcome, l.Text = "none seen", l.Text+"; "+Clean(f.Note)
		default:
			l.Outcome = "survived"
		}
	case onlySlownessOpen(f) && slowerDuring(f):
		l.Outcome, l.Times = slowingOf(r, f).outcome()+" meanwhile", true
		l.Text = slowerText(r, f) + "; nothing shows that it made answers slower"
	case onlySlownessOpen(f) && f.Parts.SlowerBecause.Has(result.SlowerStep) && f.Parts.Bad() == 0:
		l.Text = Clean(f.Parts.SlowerBecause.Phrase(nil)) + "; no request failed" + alsoShed(f.Parts, "")
	case onlySlownessOpen(f) && f.Parts.P50.Known() && f.Parts.Bad() == 0:
		l.Times = true
		l.Text = "p50 " + change(f.Parts.P50Before, f.Parts.P50) + ", p95 " + change(f.Parts.P95Before, f.Parts.P95) +
			"; no request failed" + alsoShed(f.Parts, "")
		if !(f.Parts.P50 > f.Parts.P50Before || f.Parts.P95 > f.Parts.P95Before) {
			l.Outcome = "not certain"
			l.Text += ", and that answers were slower is not excluded"
		}
	case surelySlower(f):
		l.Outcome, l.Times = slowingOf(r, f).outcome(), true
		l.Text = slowerText(r, f) + "; whether there was an outage is not known"
	case f.Impact == result.Confounded:
		l.Outcome, l.Text = "can't be told apart", Clean(f.Note)
	default:
		l.Text = strings.TrimSuffix(FaultEffect(f), ".")
	}
	if f.Injected.Known() {
		l.Text = strings.TrimPrefix(l.Text+endedUnder(r, f, result.Num(math.Inf(-1)), result.Num(math.Inf(1))), "; ")
	}
	if f.NotShown != "" && f.Injected.Known() {
		l.Text += "; " + Clean(notShown(f.NotShown))
	}
	return l
}

// slowerDuring reports whether answers were slower while a fault was in, and nothing shows that it made them so.
func slowerDuring(f *result.FaultRecord) bool {
	return f.Parts != nil && f.Parts.SlowerBecause.Has(result.SlowerDuring)
}

// faultsNote says what the rows of faults do not tell: what the mark of an outage means that made no objective fail,
// and how times differ from those of objectives. It is empty if no row needs it.
func faultsNote(r *result.Result, list []FaultLine) string {
	var notes []string
	if slices.ContainsFunc(list, func(l FaultLine) bool { return l.Outage && l.Mark == "!" }) {
		notes = append(notes, "An outage marked ! made no objective about its fault fail.")
	}
	if times := timesNote(r, list); times != "" {
		notes = append(notes, times)
	}
	return strings.Join(notes, " ")
}

// timesNote says that the times of faults leave out brunt's own time, which objectives and earlier runs include. It is
// empty if p95 before the faults is at most a tenth longer with it, or if no row has times.
func timesNote(r *result.Result, list []FaultLine) string {
	base := PhaseRowOf(r, slo.Phase{Kind: slo.BaselinePhase})
	if base == nil || base.Ok.Count == 0 {
		return ""
	}
	all := base.Ok.Response.P95
	for i := range list {
		p := r.Faults[list[i].Index].Parts
		if p == nil || !(p.P95Before > 0) || !list[i].Times {
			continue
		}
		if all > p.P95Before*11/10 {
			return "Response times of faults are of good answers, without brunt's own time: without it p95 before the faults " +
				"is " + Seconds(p.P95Before) + ", and with it " + Seconds(all) + "."
		}
		return ""
	}
	return ""
}

// onlyTooSlow reports whether the harm of a fault is answers that were too slow: no request failed.
func onlyTooSlow(r *result.Result, f *result.FaultRecord) bool {
	return failedNone(r, f) && f.Parts.Slow > 0
}

// failedNone reports whether no request failed and no write was lost in a fault, and no request failed in an incident
// that may be its own. An incident goes on after the fault.
func failedNone(r *result.Result, f *result.FaultRecord) bool {
	return f.Parts != nil && f.Parts.Errors == 0 && f.Parts.Lost == 0 &&
		!slices.ContainsFunc(r.Incidents, func(in result.Incident) bool {
			return (in.By == f.Name || slices.Contains(in.Faults, f.Name)) && failedIn(&in) > 0
		})
}

// An outage is the harm of a fault to which there is an end, by its incident or by the fault's own figures.
type outage struct {
	f    *result.FaultRecord
	bad  int64
	of   int64 // requests of its incident, of which these are bad; 0: not known
	slow bool  // some of the bad requests may have been slow
	// all of them were slow, and none failed
	onlySlow bool
	lasted   string
	end      result.Num // when the service was good again; unknown if it was not
	most     result.Num // the longest that a good answer may take, in seconds
	// the longest that a good answer took while the fault was in, in seconds; 0: not known
	longest result.Num
}

// waitsUntold reports whether good answers waited for a fault, of which none is judged slow because the run has no
// limit for that. The end of its harm is then that of its failed requests.
func waitsUntold(f *result.FaultRecord) bool {
	p := f.Parts
	return f.Impact == result.Impacted && !f.NoOutage() && !(f.Slow > 0) && p != nil &&
		p.P95 > 2*p.P95Before && p.P95 > p.P95Before+.1
}

// waitedText says how long good answers waited for a fault, where no answer is judged slow. longest is the longest of
// them, or 0.
func waitedText(f *result.FaultRecord, longest result.Num) string {
	s := "good answers waited, p95 " + change(f.Parts.P95Before, f.Parts.P95)
	if longest > 0 {
		s += ", up to " + Seconds(longest)
	}
	return s + ": none is judged slow"
}

// text counts the requests of an outage, and says when the service was good again.
func (o *outage) text() string {
	s := Plural(o.bad, "request", "requests")
	if o.of > o.bad {
		s = Count(o.bad) + " of " + Plural(o.of, "request", "requests")
	}
	switch {
	case o.onlySlow && o.f.Slow > 0:
		s += " took over " + Seconds(o.f.Slow) + ", none failed"
	case o.onlySlow:
		s += pick(max(o.bad, o.of) > 1, " were", " was") + " too slow, none failed"
	case o.slow:
		s += " failed or were too slow"
	default:
		s += " failed"
	}
	if said, rejoined := rejoinText(o.f); rejoined {
		return s + "; " + said
	}
	if waitsUntold(o.f) {
		return s + "; " + waitedText(o.f, o.longest)
	}
	switch {
	case o.f.Impact == result.Confounded && o.end.Known() && o.f.Note != "": // another fault came before the recovery
		return s + "; " + Clean(o.f.Note)
	case !o.end.Known() && o.f.Unrecovered == result.Stuck:
		return s + "; stuck: " + escaped(o.f.Escape)
	case !o.end.Known() && o.f.Unrecovered == result.GoneStillHarm:
		return s + "; the fault was gone, and it was not good again by the end of the run"
	case !o.end.Known():
		return s + "; not good again by the end of the run"
	case o.f.StaysDown:
		return s + "; good again " + Seconds(o.end-o.f.Injected) + " after the injection, without " +
			Clean(Join(leftDown(o.f)))
	case !o.f.Cleared.Known():
		return s
	case o.end > o.f.Cleared:
		return s + "; good again " + Seconds(o.end-o.f.Cleared) + " after " + whatIsBack(o.f)
	case o.end+o.most+o.f.Resolution >= o.f.Cleared: // asked before, and answered in time after it
		return s + "; good again as soon as " + whatIsBack(o.f)
	}
	return s + "; good again " + Seconds(o.f.Cleared-o.end) + " before " + whatIsBack(o.f)
}

// harmLength says how long the harm of a fault lasted, by its outages, else by its own figures. own is empty if no
// outage is shown to be by it.
func harmLength(f *result.FaultRecord, own []*result.Incident) string {
	if len(own) > 0 {
		return lengthOf(own)
	}
	return Seconds(f.Degraded)
}

// outagesOf returns the incidents that a fault did, in the order of their begin, without late ones. If all are late, it
// returns the one with the most bad requests. It is empty if no incident is shown to be by the fault.
func outagesOf(r *result.Result, f *result.FaultRecord) (own []*result.Incident) {
	for i := range r.Incidents {
		if in := &r.Incidents[i]; in.By == f.Name && !late(r, in, f) {
			own = append(own, in)
		}
	}
	if len(own) == 0 {
		if later := laterOutage(r, f); later != nil {
			return []*result.Incident{later}
		}
	}
	slices.SortFunc(own, func(a, b *result.Incident) int { return cmp.Compare(a.Begin, b.Begin) })
	return own
}

// whatIsBack names the end of a fault: a unit that is back, or the fault that is over.
func whatIsBack(f *result.FaultRecord) string {
	if f.Nature.Does(scenarios.Down) && len(f.Units) > 0 && !linked(f) {
		service := slo.ServiceOf(f.Units[0])
		if len(f.Units) == 1 && (f.Role != "" || f.Leader) {
			return Clean(f.Units[0]) + " was back"
		}
		for _, u := range f.Units {
			if slo.ServiceOf(u) != service {
				return "the units were back"
			}
		}
		return Clean(service) + " was back"
	}
	return "it was over"
}

// badKinds counts the bad requests of a fault, and says which of both they were: failed or too slow.
func badKinds(p *result.ImpactParts) string {
	s := Plural(p.Bad(), "request", "requests")
	switch {
	case p.Slow == 0:
		return s + " failed"
	case p.Errors == 0:
		return s + pick(p.Bad() > 1, " were", " was") + " too slow"
	}
	return s + " failed or were too slow"
}

// stepOutageText counts the requests of a step that had an outage, and says which share of all the bad requests are.
func stepOutageText(f *result.FaultRecord) string {
	p, out := f.Parts, f.Parts.StepOutage
	s := Clean(out.Phrase()) + "; "
	if rest := p.Bad() - out.Bad(); rest > 0 {
		s += "with " + Count(rest) + " of other steps "
	}
	return s + pick(p.Bad() > 1, "they are ", "it is ") + Share(p.Bad(), p.Requests) + " of all, " +
		pick(f.Beyond(), "over", "within") + " the limit of " + Percent(float64(f.Limit)) + alsoShed(p, "")
}

func survivedText(f *result.FaultRecord) string {
	p := f.Parts
	switch {
	case p == nil:
		return "failed requests stayed within " + Percent(float64(f.Limit))
	case p.Bad() > 0:
		return badKinds(p) + ", " + Share(p.Bad(), p.Requests) + shareBefore(f) + ", " +
			pick(f.Beyond(), "not certainly over", "within") + " the limit of " + Percent(float64(f.Limit)) + alsoShed(p, "")
	case shedMore(p):
		return "no request failed, " + shedShare(p, "") + ", and answers were not clearly slower"
	}
	if shifted(p) {
		return "no request failed; p50 " + Seconds(p.P50Before) + " → " + Seconds(p.P50) + ", of too few answers to tell"
	}
	return "no request failed, and answers were not clearly slower"
}

// shifted reports whether the median of good answers was over a fifth higher in a fault, while there were too few
// answers to tell whether they were slower.
func shifted(p *result.ImpactParts) bool {
	return p != nil && p.Untested && p.P50Before > 0 && p.P50 > p.P50Before*6/5
}
