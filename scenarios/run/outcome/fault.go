package outcome

import (
	"cmp"
	"math"
	"slices"
	"time"

	"brunt/scenarios/judge"
	"brunt/scenarios/result"
)

// A Fault holds what is known of an occurrence of a fault besides its effect on the load.
type Fault struct {
	result.FaultRecord
	N         int  // number of the occurrence; negative: it was not injected
	Unnoticed bool // the team's own monitoring did not notice it, so that detect is infinite

	Reasons []result.Reason // what the course of the fault says of the run
	Void    result.Notes    // why it was not in for its time; nil: it was
	Cuts    result.Notes    // for how long it was on units that other faults ended; nil without such units
	Brief   bool            // it was in for under half of its time, because of that
}

// Records joins each fault with its effect on the load, in the order of time. until, which may be nil, changes what is
// known of fault i only at the end of a run; its finding is nil if the fault was not injected.
func Records(
	faults []Fault, f *judge.Findings, until func(i int, rec *result.FaultRecord, found *judge.FaultFinding),
) (out []result.FaultRecord) {
	for i := range faults {
		var found *judge.FaultFinding
		if n := faults[i].N; n >= 0 && n < len(f.Faults) {
			found = &f.Faults[n]
		}
		rec := faults[i].Record(found)
		if until != nil {
			until(i, &rec, found)
		}
		if rec.Operator != nil {
			operator := *rec.Operator
			rec.Operator = &operator
			operator.Split = rec.SplitTime()
		}
		rec.Say()
		out = append(out, rec)
	}
	slices.SortStableFunc(out, func(a, b result.FaultRecord) int { return cmp.Compare(when(a), when(b)) })
	return out
}

func when(r result.FaultRecord) float64 {
	if r.Injected.Known() {
		return float64(r.Injected)
	}
	return float64(r.Planned)
}

// Record returns the record of the fault with its effect; a nil finding means no effect.
func (c *Fault) Record(found *judge.FaultFinding) result.FaultRecord {
	rec := c.FaultRecord
	if c.Unnoticed {
		rec.Detect = result.Num(math.Inf(1))
	}
	if found != nil {
		addEffect(&rec, found)
	}
	if !rec.Slow.Known() {
		rec.SlowFrom = ""
	}
	return rec
}

// addEffect adds the effect on the load to the record of a fault.
func addEffect(rec *result.FaultRecord, f *judge.FaultFinding) {
	if rec.TrafficUnit == "" {
		rec.Traffic, rec.TrafficUnit = f.Requests, "requests"
	}
	injected := rec.Injected.D()
	since := func(at result.Num, from time.Duration) result.Num {
		return result.Num(max(0, float64(at)-from.Seconds()))
	}
	rec.Impact, rec.Limit = f.Impact, result.Num(f.Limit)
	if !rec.Because.Has(result.FaultFailed) { // else what is wrong with the fault says more than its effect
		rec.Because = f.Notes.And(rec.Because...)
	}
	if f.Slow > 0 {
		rec.Slow = result.Sec(f.Slow)
	}
	if f.SlowLeast < f.Slow {
		rec.SlowLeast = result.Sec(f.SlowLeast)
	}
	rec.Resolution, rec.Area, rec.Degraded, rec.Failed = result.Sec(f.Resolution), result.Num(f.Area),
		result.Sec(f.Degraded), f.Failed
	rec.Parts = f.Parts
	rec.OnsetAt, rec.RecoveredAt = f.OnsetAt, f.RecoveredAt
	rec.RecoveredLow, rec.RecoveredHigh, rec.RelapsedAt = f.RecoveredIn.Low, f.RecoveredIn.High, f.RelapsedAt
	begin := injected
	if rec.Kind == result.GroupKind && f.OnsetAt.Known() { // the harm need not come from the group's first step
		begin = f.OnsetAt.D()
	}
	rec.Onset, rec.Failover = since(f.OnsetAt, injected), since(f.FailoverAt, begin)
	rec.Recover, rec.Heal = since(f.RecoveredAt, begin), since(f.RecoveredAt, rec.Cleared.D())
	rec.RejoinAt, rec.Back, rec.Rejoin = f.RejoinAt, since(f.BackAt, begin), since(f.RejoinedAt, f.RejoinAt.D())
	rec.Unrecovered = f.Unrecovered
	if f.Impact == result.NotRecovered {
		rec.Recover, rec.Heal = result.Num(math.Inf(1)), result.Num(math.Inf(1))
	}
}
