package judge

import (
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// judgeDeliveries judges an objective on what became of the messages of a delivery. A message of which that is
// unknown
// may be lost or not, so an objective passes or fails only if it does so in both cases.
func judgeDeliveries(o slo.Objective, all []*result.DeliveryRecord) result.ObjectiveResult {
	r := requests.Unanswered(slo.Phase{Kind: slo.RunPhase})
	var d *result.DeliveryRecord
	for _, one := range all {
		if one.Name == o.Step {
			d = one
		}
	}
	switch {
	case d == nil:
		r.Because = result.Notes{{Kind: result.DeliveryAbsent}}
		return r
	case d.Acknowledged == 0:
		r.Because = result.Notes{{Kind: result.DeliveriesNone}}
		return r
	}
	r.Count = d.Acknowledged
	unsure := d.Unsure()
	low, high := o.Metric.Row().Deliveries(slo.Deliveries{
		Lost: d.Lost, Duplicated: d.Duplicated, Reordered: d.Reordered, MayBeSeen: d.Unreadable, MayBeLost: unsure,
		MayBeAgain: d.Unreadable + d.Again, MayBeBefore: d.Unkeyed,
	})
	r.Measured = result.Num(low)
	if low == high || o.Metric.Name == "lost" && unsure == 0 {
		r.Measured = result.Num(high)
	}
	return judgeBounds(o, r, low, high, result.Note{
		Kind: result.DeliveriesUnsure, Part: int64(high - low), Count: d.Acknowledged,
	})
}

// judgeResolution makes an objective on the times of a delivery inconclusive that holds or fails only because brunt
// asks for its messages: a message may have come earlier than it was seen, by up to the resolution.
func judgeResolution(o slo.Objective, r *result.ObjectiveResult, all []*result.DeliveryRecord) {
	if !o.Metric.Latency() || r.Verdict != scenarios.Pass && r.Verdict != scenarios.Fail || !r.Measured.Known() {
		return
	}
	of := resolutionOf(o, all)
	if least := max(0, float64(r.Measured-of)); of > 0 && requests.Meets(o, least) != (r.Verdict == scenarios.Pass) {
		requests.Polled(r, of, result.Num(least), r.Measured)
	}
}

// withinResolution judges an objective on the share of messages within a time again, as if each was seen earlier by the
// resolution of its delivery. It is inconclusive if that changes a pass or a failure.
func (e *evaluator) withinResolution(q *ask, r result.ObjectiveResult) result.ObjectiveResult {
	of := resolutionOf(q.o, e.read.c.Deliveries)
	limit := requests.LimitIndex(e.read.Config.Limits, q.o)
	earlier := q.measured
	if q.o.Metric.Latency() || !(of > 0) || limit < 0 || limit >= len(earlier.Over) ||
		r.Verdict != scenarios.Pass && r.Verdict != scenarios.Fail {
		return r
	}
	late := earlier.Kinds[scenarios.OK] - earlier.Response.UpTo(q.o.Metric.Span.Seconds()+float64(of))
	earlier.Over = slices.Clone(earlier.Over)
	earlier.Over[limit] = min(earlier.Over[limit], late)
	if other := e.judgeSum(q.o, q.p, q.i, earlier, asMeasured); other.Verdict != r.Verdict {
		requests.Polled(&r, of, r.Measured, other.Measured)
	}
	return r
}

// resolutionOf returns the resolution of the times of the delivery that an objective names; zero without one.
func resolutionOf(o slo.Objective, all []*result.DeliveryRecord) result.Num {
	for _, d := range all {
		if d.Name == o.Step {
			return d.Resolution
		}
	}
	return 0
}
