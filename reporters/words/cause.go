package words

import (
	"cmp"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A cause is an incident as a reason for the failure of a run.
type cause struct {
	in *result.Incident
	// its part of the requests that count against the objectives that failed, from 0 to 1; without such an objective its
	// part of all bad requests of incidents
	share float64
}

// mattering is the least share of a [cause] that a report names beside a larger one.
const mattering = .1

// causes returns the incidents that the failed objectives count, the one with the largest share first. It is empty if
// no request decides why the run failed.
func causes(r *result.Result) (list []cause) {
	if !requestsDecide(r) {
		return nil
	}
	var counted []*result.ObjectiveResult
	for i := range r.Objectives {
		if o := &r.Objectives[i]; failedByValue(o) && countsRequests(o) {
			counted = append(counted, o)
		}
	}
	why := otherReason(r)
	for i := range r.Incidents {
		if in := &r.Incidents[i]; len(counted) > 0 || why == nil || mayExplain(r, in, why) {
			list = append(list, cause{in: in})
		}
	}
	weigh := func(weight func(*result.Incident) int64) {
		all := int64(0)
		for _, c := range list {
			all += weight(c.in)
		}
		for i := range list {
			list[i].share += float64(weight(list[i].in)) / float64(max(all, 1)*int64(max(len(counted), 1)))
		}
	}
	for _, o := range counted {
		weigh(func(in *result.Incident) int64 { return against(r, o, in) })
	}
	if len(counted) == 0 {
		weigh(func(in *result.Incident) int64 { return in.Bad })
	}
	list = slices.DeleteFunc(list, func(c cause) bool { return len(counted) > 0 && c.share == 0 })
	slices.SortStableFunc(list, func(a, b cause) int { return cmp.Compare(b.share, a.share) })
	return list
}

// requestsDecide reports whether requests may be why a run failed: an objective on them, or on what a fault did to
// them, failed, or they may explain why the run has its verdict where no objective is the reason. Objectives on writes,
// messages, registers, traces, alerts and figures of units fail for other reasons.
func requestsDecide(r *result.Result) bool {
	failed := false
	for i := range r.Objectives {
		o := &r.Objectives[i]
		if !failedByValue(o) {
			continue
		}
		if needs := o.Of().Row().Needs; needs == slo.NeedsRequests || needs == slo.NeedsFault {
			return true
		}
		failed = true
	}
	why := otherReason(r)
	if why == nil {
		return !failed
	}
	return mayExplain(r, nil, why) ||
		slices.ContainsFunc(r.Incidents, func(in result.Incident) bool { return mayExplain(r, &in, why) })
}

// otherReason returns the reason of a run that has its verdict for another reason than the value of an objective; else
// nil.
func otherReason(r *result.Result) *result.Reason {
	for i := range r.Reasons {
		switch x := &r.Reasons[i]; {
		case x.Verdict != r.Reasons[0].Verdict:
		case x.Kind != result.NotHeld:
			return x
		case x.Verdict != scenarios.Fail || countObjectives(r, failedByValue) > 0:
			return nil
		}
	}
	return nil
}

// failedByValue reports whether the value of an objective made it fail. An objective on a fault also fails without one:
// no impact of the fault was seen although the scenario requires it, or the target was not well before it.
func failedByValue(o *result.ObjectiveResult) bool {
	return o.Verdict == scenarios.Fail && !o.Because.Has(result.ImpactMissing, result.BeforeUnsteady)
}

// mayExplain reports whether an incident may be why a run has a reason that is no objective. Without an incident it
// reports whether other requests may. Nothing that requests show explains that a fault did no harm, that it stays in
// place, or that a person ended the run. Only an outage of its own fault explains that a unit did not come back. Only
// an outage that began before a fault explains that the target was not well before that fault.
func mayExplain(r *result.Result, in *result.Incident, why *result.Reason) bool {
	switch why.Kind {
	case result.NoImpact, result.NotUndone, result.StaysDown, result.LeftBehind, result.StoppedInside:
		return false
	case result.StillDown, result.NotReadyAgain:
		return in != nil && slices.ContainsFunc(r.Faults, func(f result.FaultRecord) bool {
			named := why.Fault == "" || f.Name == why.Fault ||
				slices.ContainsFunc(f.Steps, func(s result.FaultStep) bool { return s.Name == why.Fault })
			return named && (in.By == f.Name || in.By == "" && slices.Contains(in.Faults, f.Name))
		})
	case result.UnsteadyBefore:
		by := faultNamed(r, why.Fault)
		return in == nil || by == nil || in.Begin < by.Injected
	}
	return true
}

// countsRequests reports whether bad requests of incidents can make an objective fail.
func countsRequests(o *result.ObjectiveResult) bool {
	row := o.Of().Row()
	return row.CountsBad || row.TimesOut || row.Recovers || o.Of().Latency()
}

// against returns how many requests of an incident count against an objective: those that failed against a share of
// errors, slow ones against a time of good answers, and both against another response time or a recovery. It is 0 for
// an incident of another phase.
func against(r *result.Result, o *result.ObjectiveResult, in *result.Incident) int64 {
	if !inPhase(r, o.Phase, in) {
		return 0
	}
	metric, n := o.Of(), failedIn(in)
	switch {
	case metric.Of != "": // of good answers alone
		n = in.Kinds[slowKind]
	case countsSlow(o):
		n = in.Bad
	case metric.Row().TimesOut:
		n = in.Kinds[scenarios.Timeout.String()]
	}
	def, ok := o.Asks()
	if !ok || def.Step == "" && def.Load == "" || len(in.Steps) == 0 {
		return n
	}
	bad := int64(0) // of the steps that the objective is about
	for _, s := range in.Steps {
		if (def.Step == "" || s.Step == def.Step) && (def.Load == "" || s.Load == def.Load) {
			bad += s.Bad
		}
	}
	return min(n, bad)
}

// slowKind is the kind of requests that were answered rightly and too late.
const slowKind = "slow"

// inPhase reports whether an incident may be in a phase: it began before the first fault, or a fault of the phase is
// one of its faults.
func inPhase(r *result.Result, phase slo.Phase, in *result.Incident) bool {
	switch phase.Kind {
	case slo.BaselinePhase:
		return !slices.ContainsFunc(r.Faults, func(f result.FaultRecord) bool { return f.Injected <= in.Begin })
	case slo.FaultPhase, slo.RecoveryPhase, slo.RestPhase:
		name := phase.Of(slo.FaultPhase).String()
		return in.By == name || slices.Contains(in.Faults, name) || faultNamed(r, name) == nil
	default:
		return true
	}
}

// failedIn returns how many requests of an incident failed, without slow ones.
func failedIn(in *result.Incident) int64 { return in.Bad - in.Kinds[slowKind] }

// countsSlow reports whether a slow answer counts against an objective: one on times, on a recovery, or on the share of
// requests that were answered rightly within a time.
func countsSlow(o *result.ObjectiveResult) bool {
	metric := o.Of()
	return metric.Latency() || metric.Row().Recovers || metric.Name == "within"
}

// slowCounts reports whether a slow answer counts against an objective that failed.
func slowCounts(r *result.Result) bool {
	return slices.ContainsFunc(r.Objectives, func(o result.ObjectiveResult) bool {
		return failedByValue(&o) && countsSlow(&o)
	})
}
