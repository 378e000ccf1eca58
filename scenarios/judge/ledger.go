package judge

import (
	"brunt/scenarios"
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// judgeWrites judges an objective on writes. A write that could not be read back may be found or lost, so an
// objective passes or fails only if it does so in both cases. An objective on a share also needs its bound to pass.
// If a lost worker made writes that the ledger does not know, no objective passes, and an objective fails only if
// more writes could not change that.
//
// all holds the results of the run's ledgers. An objective that names no ledger is about the only one.
func judgeWrites(o slo.Objective, all []*result.LedgerRecord) result.ObjectiveResult {
	var l *result.LedgerRecord
	for _, one := range all {
		if one.Name == o.Metric.Source || o.Metric.Source == "" && len(all) == 1 {
			l = one
		}
	}
	r := judge(o, l)
	if l != nil && l.Unreported != "" && r.Verdict != scenarios.Invalid &&
		(r.Verdict == scenarios.Pass || mendable(o, r)) {
		r.Verdict, r.Because = scenarios.Invalid, result.Notes{{Kind: result.LedgerUnreported, Text: l.Unreported}}
	}
	return r
}

// mendable reports whether more writes could make a failed objective hold.
func mendable(o slo.Objective, r result.ObjectiveResult) bool {
	return o.Metric.Row().Unit == slo.ShareOf || o.Op == ">" || o.Op == ">=" ||
		o.Op == "=" && float64(r.Measured) < o.Value
}

func judge(o slo.Objective, l *result.LedgerRecord) result.ObjectiveResult {
	r := requests.Unanswered(slo.Phase{Kind: slo.RunPhase})
	switch {
	case l == nil:
		r.Because = result.Notes{{Kind: result.LedgerAbsent}}
		return r
	case !l.Read:
		r.Because = result.Notes{{Kind: result.LedgerUnread, Text: l.Note}}
		return r
	case l.Acknowledged == 0:
		r.Because = result.Notes{{Kind: result.WritesNone}}
		return r
	}
	r.Count = l.Acknowledged
	if o.Metric.Row().OfReads {
		return judgeReads(o, l.Reads, r)
	}
	low, high := o.Metric.Row().Writes(writesOf(l))
	r.Measured = result.Num(low)
	unsure := result.Note{Kind: result.WritesUnread, Part: l.Unsure(), Count: l.Acknowledged}
	switch {
	case l.Elsewhere > 0:
		unsure = result.Note{Kind: result.WritesElsewhere, Part: l.Elsewhere, Count: l.Acknowledged, Faults: l.Holders}
	case l.Unsure() == 0:
		unsure = result.Note{Kind: result.WritesBounds}
		r.Measured = result.Num(high)
	}
	return judgeBounds(o, r, low, high, unsure)
}

// judgeBounds judges an objective on what became of r.Count writes or messages, which is known between two bounds.
// unsure says why it is not known better.
func judgeBounds(o slo.Objective, r result.ObjectiveResult, low, high float64,
	unsure result.Note,
) result.ObjectiveResult {
	switch {
	case requests.Meets(o, low) != requests.Meets(o, high),
		!requests.Meets(o, low) && o.Op == "=" && o.Value > low && o.Value <= high:
		r.Because = result.Notes{unsure}
	case !requests.Meets(o, low):
		r.Verdict = scenarios.Fail
	default:
		if need, ok := requests.Need(o); ok && r.Count < need {
			r.Because = result.Notes{{Kind: result.FewWrites, Count: r.Count, Need: need}}
			break
		}
		why, shown := unshown(o, high, r.Count)
		if !shown {
			r.Because = result.Notes{why}
			break
		}
		r.Verdict = scenarios.Pass
	}
	if high > low {
		r.Low, r.High = result.Num(low), result.Num(high)
	}
	return r
}

// unshown explains why n writes do not show that an objective on a share of writes holds, although it holds for these
// n. shown is true if they do. As for a share of requests, a pass needs the exact 95 % bound of the share to be
// within the objective.
func unshown(o slo.Objective, share float64, n int64) (why result.Note, shown bool) {
	bound, shown := shownShare(o, share, n)
	return result.Note{
		Kind: result.WritesNotShown, Value: result.Num(share), Count: n, High: result.Num(bound),
	}, shown
}

// shownShare returns the exact 95 % upper bound of the share of n that was bad, and whether an objective on the share
// allows it.
func shownShare(o slo.Objective, share float64, n int64) (bound float64, shown bool) {
	a := requests.Allowed(o)
	if a <= 0 || a >= 1 {
		return 0, true
	}
	bound = effect.UpperBound(share*float64(n), float64(n), effect.Confidence)
	return bound, bound <= a
}

// judgeReads judges an objective on the reads during the load. A read without an answer is neither stale nor good:
// the unit is down, which other objectives judge. Such reads decide nothing as long as others were answered.
func judgeReads(o slo.Objective, reads *result.LedgerReads, r result.ObjectiveResult) result.ObjectiveResult {
	if reads == nil || reads.Made == reads.Unanswered {
		r.Because = result.Notes{{Kind: result.ReadsNone}}
		return r
	}
	n, _ := o.Metric.Row().Writes(slo.Writes{StaleReads: reads.Stale})
	r.Count, r.Measured = reads.Made-reads.Unanswered, result.Num(n)
	r.Verdict = requests.VerdictIf(o.Holds(n))
	if reads.Unanswered > 0 {
		r.Because = result.Notes{{Kind: result.ReadsUnanswered, Part: reads.Unanswered, Count: reads.Made}}
	}
	return r
}

// writesOf returns the findings of the ledger in the form that the rows of [slo.Metrics] use.
func writesOf(l *result.LedgerRecord) slo.Writes {
	return slo.Writes{
		Acknowledged: l.Acknowledged, Lost: l.Lost, Duplicated: l.Duplicated, Stale: l.Stale + l.Elsewhere,
		MayBeLost: l.Unsure() - l.Unread, MayBeWrong: l.Unsure() - l.Elsewhere,
		RPOLow: float64(l.RPOLow), RPOHigh: float64(l.RPO), LateLow: float64(l.LateLow), LateHigh: float64(l.LateHigh),
	}
}
