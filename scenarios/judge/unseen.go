package judge

import (
	"cmp"
	"slices"
	"time"

	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// later returns the time d after t, but not after the end of the load.
func (f *readings) later(t, d time.Duration) time.Duration { return min(f.end, min(f.end, t)+d) }

// unseenOf lists the spans in which brunt saw nothing of the target, and in which an outage could change the verdict
// of an objective on occurrence i.
func (f *effects) unseenOf(o slo.Objective, i int) []requests.Span {
	a, of := f.ask(i, o), []int{i}
	if a.Impact == result.Confounded {
		of = f.confoundedWith(i)
	}
	in := requests.Span{From: f.read.Faults[of[0]].Injected}
	for _, j := range of {
		in.To = max(in.To, f.read.overAt(j))
	}
	if back := a.Harm().RecoveredIn.High; back.Known() {
		in.To = max(in.To, back.D())
	}
	row := o.Metric.Row()
	sums, over := row.Lasts || !o.Upper(), min(in.To, f.read.end)
	in.To = f.read.later(in.To, f.read.c.Hold)
	if next := f.read.after(of[len(of)-1]); next != nil {
		in.To = min(in.To, next.Injected)
	}
	allowed := time.Duration(o.Value * float64(time.Second))
	by := f.read.Faults[i].Injected + allowed
	switch {
	case row.Healing:
		by = f.read.later(f.read.overAt(i), allowed)
	case f.read.c.Occurrences[i].Group && a.OnsetAt.Known():
		by = a.OnsetAt.D() + allowed
	}
	spans := f.read.c.Lost.Unseen(f.read.unseen(o, in), &f.read.Config.Series, o, in)
	return slices.DeleteFunc(spans, func(s requests.Span) bool {
		edge := a.Impact == result.Confounded ||
			a.RecoveredIn.High.Known() && s.From <= a.RecoveredIn.High.D() && s.To >= a.RecoveredIn.Low.D()
		if sums {
			return s.From > over || 10*s.Length() < over-in.From && !edge
		}
		return s.Length() < allowed && (s.From >= by || s.To <= by || 10*s.Length() < allowed && !edge)
	})
}

// unseen lists the parts of a span in which brunt saw nothing of the target: brunt stood still, or failed at each
// request that was due.
func (f *readings) unseen(o slo.Objective, in requests.Span) []requests.Span {
	out := f.failedBy(o, in)
	for _, z := range f.stops() {
		out = append(out, requests.Span(z))
	}
	out = requests.United(out)
	for i := range out {
		out[i] = requests.Span{From: max(out[i].From, in.From), To: min(out[i].To, in.To)}
	}
	return slices.DeleteFunc(out, func(s requests.Span) bool { return s.Length() == 0 })
}

// stops lists the freezes that are long enough to hide what the target did. Shorter ones count as lag.
func (f *readings) stops() []measure.Freeze {
	return slices.DeleteFunc(slices.Clone(f.freezes()),
		func(z measure.Freeze) bool { return z.To-z.From < measure.LeastFreeze })
}

// failedBy lists the parts of a span in which brunt failed at each request that objective o selects. A part lasts
// from the first such request to the next one that the target was asked.
func (f *readings) failedBy(o slo.Objective, in requests.Span) (out []requests.Span) {
	type mark struct {
		at  time.Duration
		own bool
	}
	var list []mark
	var times []time.Duration
	var seen []measure.EdgeMark
	open := false
	for next := f.recordAt(in.From - time.Second); next < len(f.records) && f.records[next].Start < in.To; {
		first, start, failed := next, f.records[next].Start, int64(0)
		for ; next < len(f.records) && f.records[next].Start == start; next++ {
			failed += f.records[next].Own.Unsent()
		}
		if failed == 0 && !open {
			continue
		}
		list = list[:0]
		for i := first; i < next; i++ {
			r := &f.records[i]
			if int(r.Series) >= len(f.Config.Steps) || !requests.Selects(&f.Config.Series, o, int(r.Series)) {
				continue
			}
			times = r.edges.Failed(measure.FloorSecond(start), times[:0])
			for _, at := range times {
				list = append(list, mark{at, true})
			}
			seen = r.edges.Marks(seen[:0])
			for _, m := range seen {
				list = append(list, mark{m.At, false})
			}
		}
		slices.SortStableFunc(list, func(a, b mark) int { return cmp.Compare(a.at, b.at) })
		for _, m := range list {
			switch {
			case m.own && !open:
				open, out = true, append(out, requests.Span{From: m.at, To: f.end})
			case !m.own && open:
				open, out[len(out)-1].To = false, m.at
			}
		}
	}
	return out
}

// unsentIn explains that brunt failed to send so many requests during occurrence i that the load was not the
// scheduled one. scheduled is true if it was. Requests that were due while brunt stood still do not count: see seen.
func (f *readings) unsentIn(o slo.Objective, i int) (why result.Note, scheduled bool) {
	stops := f.stops()
	var failed, offered int64
	for _, j := range f.index().Affected[i] {
		r := &f.records[j]
		if r.Start < 0 || int(r.Series) >= len(f.Config.Steps) || !requests.Selects(&f.Config.Series, o, int(r.Series)) {
			continue
		}
		offered += r.Offered()
		if measure.Frozen(stops, r.Start, f.EndOf(r.Start)) == 0 {
			failed += r.Own.Unsent() - r.Own.Timeouts
		}
	}
	if float64(failed) <= requests.UnsentMost*float64(offered) {
		return result.Note{}, true
	}
	return result.Note{Kind: result.NotTheLoad, Part: failed, Count: offered, Of: f.Faults[i].Name}, false
}

// stoodStill explains that brunt stood still for at least half of occurrence i, or sent most of its requests after
// it. The effect of the occurrence is then unknown if none was seen. It returns nil if neither is so.
func (f *readings) stoodStill(i int) result.Notes {
	in := requests.Span{From: f.Faults[i].Injected, To: min(f.end, f.Faults[i].Until())}
	if n := f.missed(slo.Objective{}, i); 2*n > f.traffic[i] {
		return result.Notes{{Kind: result.OwnSentAfter, Part: n, Count: f.traffic[i], Of: f.Faults[i].Name}}
	}
	still := time.Duration(0)
	for _, s := range f.unseen(slo.Objective{}, in) {
		still += s.Length()
	}
	if still == 0 || 2*still < in.Length() {
		return nil
	}
	return result.Notes{{
		Kind: result.OwnSawNothing, For: result.Sec(still), Within: result.Sec(in.Length()), Of: f.Faults[i].Name,
	}}
}

// sentNone reports whether brunt sent no request while occurrence i was active.
func (f *readings) sentNone(i int) bool {
	oc, at := &f.Faults[i], f.index()
	for j := at.First[at.Begun(oc.Injected)]; j < len(f.records) && f.records[j].Start < oc.Until(); j++ {
		if f.records[j].sent > 0 {
			return false
		}
	}
	return true
}

// missed returns the number of good answers to requests that were due in occurrence i, but that brunt sent after its
// end because it was late. They did not meet the fault.
func (f *readings) missed(o slo.Objective, i int) (n int64) {
	for _, j := range f.index().Affected[i] {
		r := &f.records[j]
		if r.Start < 0 || !requests.Selects(&f.Config.Series, o, int(r.Series)) {
			continue
		}
		for _, m := range r.missed {
			if int(m.Fault) == i {
				n += m.N
			}
		}
	}
	return n
}
