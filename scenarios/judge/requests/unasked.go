package requests

import (
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// Unasked returns the reason of a run without objectives. Such a run does not pass, because a run in which every
// request fails must not look like a pass. The verdict is [scenarios.None], or invalid if brunt itself caused all
// errors, whose number is own. good reports that there were requests, and that all of them, with their checks and
// writes, were good.
func Unasked(r *result.Result, own int64) (why result.Reason, good bool) {
	n := map[string]int64{}
	for _, c := range r.Cells {
		if c.Phase.Kind == slo.RunPhase && c.Load == "*" && c.Step == "*" {
			n[c.Outcome] = c.Count
		}
	}
	failed, shed := n[scenarios.Error.String()]+n[scenarios.Skipped.String()], n[scenarios.Shed.String()]
	why = result.Reason{Kind: result.Unasked, Verdict: scenarios.None, Requests: n["*"], Failed: failed, Shed: shed}
	switch {
	case why.Requests == 0:
		why.Kind = result.NoRequest
	case own > 0 && own == n[scenarios.Error.String()] && shed == 0:
		why.Kind, why.Verdict, why.Failed, why.Why = result.NotSent, scenarios.Invalid, own, result.Late
	case failed == 0 && shed == 0 && !slices.ContainsFunc(r.AllLedgers(), not((*result.LedgerRecord).Good)) &&
		!slices.ContainsFunc(r.Deliveries,
			func(d *result.DeliveryRecord) bool { return d.Wrong()+d.Late+d.Unsure()+d.Unreadable+d.Again > 0 }) &&
		!slices.ContainsFunc(r.Consistency, not((*result.ConsistencyRecord).Good)):
		why.Kind, good = result.AllGood, true
	}
	return why, good
}

// not returns the opposite of a condition.
func not[T any](is func(T) bool) func(T) bool { return func(v T) bool { return !is(v) } }
