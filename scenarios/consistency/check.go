package consistency

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"brunt/chaos"
	"brunt/scenarios/consistency/register"
	"brunt/scenarios/machine"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// Bounds of what the result has of a check.
const (
	mostSeconds   = 600
	mostWitnesses = 3   // for each kind of anomaly
	longestText   = 120 // of a key or a value, in bytes
)

// A Run is what the check knows of its run.
type Run struct {
	Loads  []string // names of the loads
	Faults []*chaos.Record
	Mask   func(string) string
}

// names are the kinds of anomalies in the result.
var names = [...]string{
	register.Dirty: result.AnomalyDirty, register.Future: result.AnomalyFuture, register.Lost: result.AnomalyLost,
	register.Overwritten: result.AnomalyOverwritten, register.Divergent: result.AnomalyDivergent,
	register.NonMonotonic: result.AnomalyNonMonotonic, register.Stale: result.AnomalyStale,
	register.Order: result.AnomalyOrder,
}

// Check checks the operations of all registers. No operation may be recorded meanwhile. Set forgets the records.
func (s *Set) Check(run Run) (out []*result.ConsistencyRecord) {
	if s == nil {
		return nil
	}
	for _, r := range s.all {
		out = append(out, r.check(run))
	}
	return out
}

// check checks the operations of one entry of `consistency`.
func (r *recorder) check(run Run) *result.ConsistencyRecord {
	began := machine.CPUTime()
	h, dropped := r.history()
	out := &result.ConsistencyRecord{
		Name: r.spec.Name, Write: r.spec.Write, Read: r.spec.Read,
		Registers: int64(len(h.keys)), Sessions: int64(len(h.sessions)), Unanswered: r.unanswered.Load(),
		Unrecorded: r.over.Load() + dropped,
		Kinds:      []result.AnomalyKind{}, Seconds: []result.StaleSecond{}, Witnesses: []result.Witness{},
	}
	for i := range h.ops {
		switch h.ops[i].Kind {
		case register.Read:
			out.Reads++
		case register.Write:
			out.Writes++
		case register.Refused:
			out.Refused++
		default:
			out.Unknown++
		}
	}
	settle := r.spec.SettleOr().D()
	found := register.Check(h.ops, register.Limits{
		Settle: settle, Search: searchLimit, Whole: func(t time.Duration) bool { return run.whole(t-settle, t) },
	})
	out.LeftOut, out.Foreign, out.Staleness = found.LeftOut, found.Foreign, result.Sec(found.Staleness)
	out.Undecided = found.Undecided
	out.Anomalies = int64(len(found.Anomalies))
	for rest := found.Anomalies; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].Kind == rest[0].Kind {
			n++
		}
		out.Kinds = append(out.Kinds, run.count(&h, rest[:n]))
		for _, a := range telling(rest[:n]) {
			out.Witnesses = append(out.Witnesses, run.witness(&h, found, a))
		}
		rest = rest[n:]
	}
	for i, c := range found.Curve {
		if c.Stale > 0 && len(out.Seconds) < mostSeconds {
			out.Seconds = append(out.Seconds, result.StaleSecond{
				T: result.Sec(found.From + time.Duration(i)*time.Second), Reads: c.Reads, Stale: c.Stale,
				Staleness: result.Sec(c.Staleness),
			})
		}
	}
	out.Took = result.Sec(machine.CPUTime() - began)
	return out
}

// telling picks the anomalies of a kind to show: the first, and those of the greatest age.
func telling(all []register.Anomaly) (out []register.Anomaly) {
	out = append(out, all[0])
	byAge := slices.Clone(all[1:])
	slices.SortStableFunc(byAge, func(a, b register.Anomaly) int { return cmp.Compare(b.Age, a.Age) })
	return append(out, byAge[:min(len(byAge), mostWitnesses-1)]...)
}

// count counts the anomalies of one kind.
func (run *Run) count(h *history, all []register.Anomaly) result.AnomalyKind {
	out := result.AnomalyKind{
		Kind: names[all[0].Kind], Count: int64(len(all)), First: result.Sec(h.ops[all[0].Op].Call),
		Last: result.Sec(h.ops[all[len(all)-1].Op].Call), // they are in this order
	}
	for i := range all {
		for _, name := range run.during(h.ops[all[i].Op].Call) {
			if out.Faults == nil {
				out.Faults = map[string]int64{}
			}
			out.Faults[name]++
		}
	}
	return out
}

// during names the faults that were active at a time.
func (run *Run) during(t time.Duration) (names []string) {
	for _, f := range run.Faults {
		if f.N >= 0 && t >= f.Injected && t <= f.Cleared && !slices.Contains(names, f.Name) {
			names = append(names, f.Name)
		}
	}
	return names
}

// whole reports whether from one time to another no fault was in, and no unit was down after one.
func (run *Run) whole(from, to time.Duration) bool {
	return !slices.ContainsFunc(run.Faults, func(f *chaos.Record) bool {
		stays := f.RevertErr != nil || f.Down != nil
		return f.N >= 0 && f.Injected <= to && (stays || f.Until >= from)
	})
}

// witness describes the operations that show an anomaly.
func (run *Run) witness(h *history, found *register.Report, a register.Anomaly) result.Witness {
	out := result.Witness{
		Kind: names[a.Kind], Register: run.text(h.keys[h.ops[a.Op].Register]), Age: result.NaN,
		Faults: run.during(h.ops[a.Op].Call),
	}
	if a.Age > 0 {
		out.Age = result.Sec(a.Age)
	}
	for _, i := range found.Witness(a) {
		o := &h.ops[i]
		who := h.sessions[o.Session]
		one := result.Operation{
			Session: fmt.Sprintf("%s %d", run.Loads[who.load], who.user+1), Write: o.Kind != register.Read,
			Value: run.text(h.values[o.Value]), Nothing: o.Value == 0, Begin: result.Sec(o.Call), End: result.Sec(o.End),
			Convicts: i == a.Op,
		}
		switch o.Kind {
		case register.Read:
		case register.Write:
			one.Outcome = result.WriteAcknowledged
		case register.Refused:
			one.Outcome = result.WriteRefused
		default:
			one.Outcome, one.End = result.WriteUndecided, result.NaN
		}
		out.Operations = append(out.Operations, one)
	}
	return out
}

// text masks a key or a value, and clips it.
func (run *Run) text(s string) string { return syntax.Clip(run.Mask(s), longestText) }
