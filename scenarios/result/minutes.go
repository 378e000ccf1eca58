package result

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// Kinds of happenings in a [Minute] that are no events: they come from the records of faults.
const (
	FirstHarm = "harm.begin" // the first bad request because of a fault
	GoodAgain = "harm.over"  // the target had recovered from a fault
)

// A Minute is what happened in one minute of a run: its load, and its happenings in the order of time.
type Minute struct {
	From, To   Num     // offsets from t0
	Requests   int64   // intended in it
	Bad        int64   // of these, not answered well, or not sent because an earlier step failed
	P95        Num     // the p95 of its slowest window, in seconds; NaN if none is known
	Happenings []Event // events, and the kinds above
	Left       int     // number of further happenings
}

const (
	minute        = 60.0 // seconds
	longRun       = 2 * minute
	mostMinutes   = 240
	mostInAMinute = 20
)

// tellingPrefixes are those of the kinds of events that are worth a line of a narration.
var tellingPrefixes = []string{
	"operator.", "alert.", "steady.", "container.oom", "container.die", "unit.exit", "unit.replaced", "pod.oom",
	"pod.evicted", "run.stop", "run.note", "worker.lost", "fault.injected", "fault.cleared", "fault.missed",
	"fault.failed", "fault.skipped", "fault.void", "fault.detected",
}

// telling reports whether a kind of event is worth a line of a narration.
func telling(kind string) bool {
	return slices.ContainsFunc(tellingPrefixes, func(p string) bool { return strings.HasPrefix(kind, p) })
}

// Attended reports whether a fault of the run waited for an operator, or was marked by people.
func (r *Result) Attended() bool {
	return slices.ContainsFunc(r.Faults, func(f FaultRecord) bool { return f.Operator != nil })
}

// Minutes tells a run minute by minute, from its windows, its faults and its events. It is nil for a run in progress,
// and for one of less than two minutes without an operator and marks.
func (r *Result) Minutes() []Minute {
	long := float64(r.Duration)
	if r.Going != nil || long <= 0 || long < longRun && !r.Attended() {
		return nil
	}
	n := min(mostMinutes, int(math.Ceil(long/minute)))
	out := make([]Minute, n)
	for i := range out {
		out[i] = Minute{From: Num(minute * i), To: min(Num(minute*(i+1)), r.Duration), P95: NaN}
	}
	of := func(t Num) *Minute {
		return &out[max(0, min(n-1, int(math.Floor(float64(t)/minute))))]
	}
	for _, w := range r.Windows {
		if w.Load != "*" || w.Step != "*" || w.T < 0 {
			continue
		}
		m := of(w.T)
		m.Requests, m.Bad = m.Requests+w.Offered, m.Bad+w.Error+w.Skipped
		if w.P95.Known() && !(m.P95 >= w.P95) {
			m.P95 = w.P95
		}
	}
	for _, e := range r.happenings() {
		if m := of(e.T); len(m.Happenings) < mostInAMinute {
			m.Happenings = append(m.Happenings, e)
		} else {
			m.Left++
		}
	}
	return out
}

// happenings lists the telling events of the load, with the harm of each fault, in the order of time.
func (r *Result) happenings() (out []Event) {
	for _, e := range r.Events {
		if e.T >= 0 && e.T <= r.Duration && telling(e.Event) { // later the target is taken down
			out = append(out, e)
		}
	}
	for i := range r.Faults {
		f := &r.Faults[i]
		if !f.OnsetAt.Known() {
			continue
		}
		out = append(out, Event{T: f.OnsetAt, Event: FirstHarm, Fault: f.Name})
		if f.RecoveredAt.Known() && f.Impact != NotRecovered {
			out = append(out, Event{T: f.RecoveredAt, Event: GoodAgain, Fault: f.Name})
		}
	}
	slices.SortStableFunc(out, func(a, b Event) int { return cmp.Compare(a.T, b.T) })
	return out
}
