package judge

import (
	"fmt"
	"math"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// judgeLedger answers an objective on writes. What could not be read back is neither
// found nor lost: it takes no pass away from what holds whatever became of it, and
// gives none to anything else.
func (f *finisher) judgeLedger(o slo.Objective) result.ObjectiveResult {
	r := undone("run", "")
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
	switch {
	case meets(o, low) != meets(o, high), !meets(o, low) && o.Op == "=" && o.Value > low && o.Value <= high:
		r.Note = unsure
	case !meets(o, low):
		r.Verdict = scenarios.Fail
	default:
		if need, ok := Need(o); ok && r.Count < need {
			r.Note = fmt.Sprintf("%d writes, and %d are needed to show it", r.Count, need)
			break
		}
		r.Verdict = scenarios.Pass
	}
	if high > low {
		r.Low, r.High = result.Num(low), result.Num(high)
	}
	return r
}

// ledgerValue is the least and the most that a metric can be: as if each write that was
// not read back were as it should be, and as if none were.
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
	if lost > 0 {
		return float64(l.RPO), math.Inf(1)
	}
	return float64(l.RPO), float64(l.RPO)
}
