package judge

import (
	"fmt"
	"math"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// judgeLedger answers an objective on writes. A write that could not be read back is neither
// found nor lost. An objective passes or fails only where it does so in both cases.
func (f *composer) judgeLedger(o slo.Objective) result.ObjectiveResult {
	r := unanswered("run", "")
	l := f.c.Ledger
	switch {
	case l == nil:
		r.Note = "there is no ledger"
		return r
	case !l.Read:
		r.Note = l.Note
		return r
	case l.Acknowledged == 0:
		r.Note = "no write was acknowledged"
		return r
	}
	r.Count = l.Acknowledged
	low, high := ledgerValue(o, l)
	r.Measured = result.Num(low)
	unsure := fmt.Sprintf("%d of %d writes could not be read back", l.Unsure(), l.Acknowledged)
	if l.Unsure() == 0 {
		unsure = "the bounds of what was measured lie on both sides of the target"
		r.Measured = result.Num(high)
	}
	switch {
	case meets(o, low) != meets(o, high), !meets(o, low) && o.Op == "=" && o.Value > low && o.Value <= high:
		r.Note = unsure
	case !meets(o, low):
		r.Verdict = scenarios.Fail
	default:
		if need, ok := Need(o); ok && r.Count < need {
			r.Note = fmt.Sprintf("%d writes, but at least %d are needed", r.Count, need)
			break
		}
		r.Verdict = scenarios.Pass
	}
	if high > low {
		r.Low, r.High = result.Num(low), result.Num(high)
	}
	return r
}

// ledgerValue returns the lowest and the highest possible value of a metric: as if every write
// that was not read back were correct, and as if none were.
func ledgerValue(o slo.Objective, l *result.LedgerRecord) (low, high float64) {
	any := l.Unsure()
	lost := any - l.Unread
	switch o.Metric.Name {
	case "lost":
		return float64(l.Lost), float64(l.Lost + lost)
	case "duplicated":
		return float64(l.Duplicated), float64(l.Duplicated + any)
	case "stale":
		n := float64(l.Acknowledged)
		return float64(l.Stale) / n, float64(l.Stale+any) / n
	}
	low, high = float64(l.RPOLow), float64(l.RPO)
	if o.Metric.Name == "late" {
		low, high = float64(l.LateLow), float64(l.LateHigh)
	}
	if lost > 0 {
		high = math.Inf(1)
	}
	return low, high
}
