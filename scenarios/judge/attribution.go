package judge

import (
	"slices"
	"time"

	"brunt/scenarios/judge/effect"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A claim says to which faults an incident belongs. An incident belongs to the faults that were in, or were being
// recovered from, when it began: to one, to a set of which any may have done it, or to none. It never belongs to a
// fault that was injected later.
type claim struct {
	of       []int           // occurrences, ascending
	evidence result.Evidence // of the only one in of; empty if only the time speaks for it
	noise    bool            // only the time speaks for each one in of, and the incident continues no other harm of theirs
}

// wholeLoad selects all requests for the effect of a fault.
var wholeLoad = slo.Objective{Metric: slo.Metric{Name: "recover"}}

// divided joins the parts of an outage that can only have the same cause. Two parts are apart if the load was good for
// a hold between them, if a fault was injected after the first began, or if the second began with the end of a fault.
func (f *effects) divided(parts []*incident) []*incident {
	out := parts[:1]
	for _, in := range parts[1:] {
		last := out[len(out)-1]
		apart := in.Begin-last.End >= f.read.c.Hold
		for i := 0; i < len(f.read.Faults) && !apart; i++ {
			oc := &f.read.Faults[i]
			apart = oc.Name != "" && (oc.Injected > last.Begin && oc.Injected <= in.Begin ||
				f.read.overAt(i) > last.Begin && f.read.endBegan(i, in))
		}
		if apart {
			out = append(out, in)
			continue
		}
		last.Degraded += in.Degraded
		last.extend(in)
	}
	return out
}

// extend moves the end of an incident to the end of a later one.
func (in *incident) extend(to *incident) {
	in.End, in.EndIn, in.Over, in.NotBefore = to.End, to.EndIn, to.Over, to.NotBefore
}

// endBegan reports whether an incident began with the end of occurrence i.
func (f *readings) endBegan(i int, in *incident) bool {
	return f.Faults[i].Over && !f.c.Occurrences[i].StaysDown && f.begins(in.BeginIn, f.overAt(i))
}

// begins reports whether harm that begins in a range may begin with an act of brunt. A range that is wider than a hold
// shows nothing: it is that of a window of a slow load. Nor does harm that begins with the end of a unit that ends
// likewise at other times, unless the act is as close.
func (f *readings) begins(in effect.Range, act time.Duration) bool {
	ended := func(at time.Duration) bool {
		return at > act+effect.Early && at >= in.Low.D()-effect.Early && at <= in.High.D()+effect.Early
	}
	return in.With(act) && in.High.D()-in.Low.D() <= max(f.c.Hold, effect.AtOnce) &&
		!slices.ContainsFunc(f.c.Recurring, ended)
}

// attribute finds the claims of incidents, which are in the order of time.
func (f *effects) attribute(incidents []*incident) {
	last := make([]*incident, len(f.read.Faults)) // that belongs to the occurrence
	for _, in := range incidents {
		shown := map[int]result.Evidence{}
		in.noise = true
		for i := range f.read.Faults {
			evidence, belongs := f.belongs(in, i, last[i])
			if !belongs {
				continue
			}
			in.of = append(in.of, i)
			if evidence != "" {
				shown[i] = evidence
			}
			in.noise = in.noise && evidence == "" && (last[i] == nil || last[i].noise || !f.continues(in, i, last[i]))
		}
		if len(shown) > 0 { // that a unit is still down shows nothing against another fault
			in.of = slices.DeleteFunc(in.of, func(i int) bool { return f.read.c.Occurrences[i].StaysDown && shown[i] == "" })
		}
		for _, i := range in.of {
			in.evidence, last[i] = shown[i], in
		}
		if len(in.of) != 1 || f.otherwise(in, in.of[0]) { // any of them may have done it
			in.evidence = ""
		}
	}
}

// continues reports whether an incident is a relapse after the recovery from occurrence i, or a part of the harm before
// that recovery.
func (f *effects) continues(in *incident, i int, last *incident) bool {
	return f.relapsed(in, i) || f.recovering(in, i, last)
}

// otherwise reports whether something other than occurrence i may have done an incident. The effect of the occurrence
// is unknown, or a lack of processors may explain each of the bad requests.
func (f *effects) otherwise(in *incident, i int) bool {
	_, unknown, _ := f.unknown(i)
	return unknown != nil || f.read.heldThrough(in)
}

// heldThrough reports whether a lack of processors may explain each bad request of an incident; see [readings.keptOf].
func (f *readings) heldThrough(in *incident) bool {
	if len(f.heldWindows()) == 0 {
		return false
	}
	through := false
	index := f.index()
	for j := index.First[index.Begun(measure.FloorSecond(in.first))]; j < len(f.records); j++ {
		r := &f.records[j]
		if r.Start >= in.End {
			break
		}
		n := r.Counts.Punctual()
		outside := r.edges.Bad && (r.edges.LastBad < in.first || r.edges.FirstBad >= in.End)
		if n.Bad()+n.Slow == 0 || outside || !f.Config.InSums(int(r.Series)) {
			continue
		}
		if kept, held := f.keptOf(r); !held || kept.Bad() > 0 {
			return false
		}
		through = true
	}
	return through
}

// belongs reports whether an incident belongs to occurrence i, and what shows, besides the time, that the occurrence
// did it. last is the last incident before that belongs to the occurrence, or nil.
func (f *effects) belongs(in *incident, i int, last *incident) (result.Evidence, bool) {
	oc := &f.read.Faults[i]
	if oc.Name == "" || f.read.c.Occurrences[i].unmet() || oc.Injected > max(in.Begin, in.BeginIn.High.D()) {
		return "", false
	}
	active := in.Begin <= f.read.inUntil(i)
	// A crash may be over at once: its end is no act besides the injection.
	momentary := f.read.overAt(i)-oc.Injected < effect.AtOnce
	shown := func(e result.Evidence) result.Evidence {
		switch {
		case last != nil && last.evidence != "":
			return e
		case active: // nor is it shown of the harm before
			return f.read.tied(i, in.Incident)
		}
		return ""
	}
	switch {
	case (active || momentary) && f.read.begins(in.BeginIn, oc.Injected):
		return result.ByInjection, true
	case f.relapsed(in, i):
		return shown(result.ByRelapse), true
	case f.read.endBegan(i, in):
		return result.ByRevert, true
	case f.recovering(in, i, last):
		return shown(result.ByRecovery), true
	case active:
		return f.read.tied(i, in.Incident), true
	case f.read.unwell(i, requests.Span{From: in.Begin, To: in.End}):
		return result.ByUnit, true
	}
	return "", false
}

// tied returns what shows, besides the time, that occurrence i did harm that began while it was in; nothing does if the
// evidence is empty. The harm began within a hold of the injection, or of a later step of a group; or a unit that the
// occurrence hit fell ill with it; or the harm lasted until the occurrence was over, and no longer than a hold after
// that.
func (f *readings) tied(i int, harm effect.Incident) result.Evidence {
	soon := func(at time.Duration) bool { return at <= harm.Begin && harm.Begin-at <= f.c.Hold }
	over := f.overAt(i)
	switch {
	case f.begins(harm.BeginIn, f.Faults[i].Injected), soon(f.Faults[i].Injected),
		slices.ContainsFunc(f.c.Occurrences[i].Acts, soon):
		return result.ByInjection
	case slices.ContainsFunc(f.c.Occurrences[i].Unwell, func(s requests.Span) bool {
		return s.From >= harm.Begin-f.c.Hold && s.From < harm.End && !slices.Contains(f.c.Occurrences[i].Apart, s.From)
	}):
		return result.ByUnit
	case harm.Over && harm.Begin <= over && (harm.EndIn.With(over) || harm.End >= over && harm.End-over <= f.c.Hold):
		return result.ByEnd
	}
	return ""
}

// recovering reports whether an incident began while the load was being recovered from occurrence i: after its first
// harm, and before the load had recovered. If other faults hide when it recovered, that is within a hold of the harm.
// While the occurrence was in, the requests before the incident show whether the load had recovered. last is the last
// incident before that belongs to the occurrence, or nil.
func (f *effects) recovering(in *incident, i int, last *incident) bool {
	switch a := f.ask(i, wholeLoad); {
	case last == nil:
		return false
	case in.Begin-last.End < f.read.c.Hold:
		return true
	case a.Impact == result.Confounded || !a.OnsetAt.Known():
		return false
	default:
		return f.beforeRecovery(in, i, a) && !(in.Begin <= f.read.inUntil(i) && f.recoveredUntil(in.Begin, i))
	}
}

// recoveredUntil reports whether the load had recovered from occurrence i at a time, by the requests up to it. Later
// ones do not show that: harm that begins then delays the recovery itself.
func (f *effects) recoveredUntil(at time.Duration, i int) bool {
	a := effect.Ask(questionOn(f, []int{i}, wholeLoad).Until(at))
	return a.Impact == result.Impacted && a.RecoveredAt.Known()
}

// beforeRecovery reports whether an incident began before the last recovery from occurrence i.
func (f *effects) beforeRecovery(in *incident, i int, a effect.Answer) bool {
	if a.RecoveredAt.Known() {
		return in.Begin < a.RecoveredAt.D()
	}
	next := f.read.after(i)
	return next == nil || in.Begin < next.Injected
}

// relapsed reports whether an incident is a relapse after a recovery from occurrence i.
func (f *effects) relapsed(in *incident, i int) bool {
	a := f.ask(i, wholeLoad)
	return a.RelapsedAt.Known() && in.BeginIn.High >= a.RelapsedAt && f.beforeRecovery(in, i, a)
}

// away reports whether a unit that occurrence i hit was not well at any time of a span, whatever the reason.
func (f *readings) away(i int, in requests.Span) bool {
	overlaps := func(s requests.Span) bool { return s.From < in.To && s.To > in.From }
	return slices.ContainsFunc(f.c.Occurrences[i].Unwell, overlaps)
}

// unwell reports whether a unit that occurrence i hit was not well at any time of a span, and that began before the
// target had recovered. An illness that begins later is no evidence that the occurrence did anything.
func (f *readings) unwell(i int, in requests.Span) bool {
	of := &f.c.Occurrences[i]
	return slices.ContainsFunc(of.Unwell, func(s requests.Span) bool {
		return s.From < in.To && s.To > in.From && f.unrecoveredAt(i, s.From) && !slices.Contains(of.Apart, s.From)
	})
}

// unrecoveredAt reports whether the target had not recovered from occurrence i at a time: since the end of the
// occurrence there was no hold in which each unit that it hit was well and the load was good.
func (f *readings) unrecoveredAt(i int, at time.Duration) bool {
	since := f.overAt(i)
	for at-since > f.c.Hold {
		next := f.lastBad(requests.Span{From: since, To: since + f.c.Hold})
		for _, s := range f.c.Occurrences[i].Unwell {
			if s.From <= since+f.c.Hold && s.From < at {
				next = max(next, min(s.To, at))
			}
		}
		if next <= since {
			return false
		}
		since = next
	}
	return true
}

// lastBad returns the end of the last window that begins in a span and in which more requests are bad than the limit
// allows; zero without such a window.
func (f *readings) lastBad(in requests.Span) (end time.Duration) {
	for start, bad := range f.badFrom(in.From) {
		if start >= in.To {
			break
		}
		if bad {
			end = f.EndOf(start)
		}
	}
	return end
}
