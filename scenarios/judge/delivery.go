package judge

import (
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
		MayBeAgain: d.Unreadable, MayBeBefore: d.Unkeyed,
	})
	r.Measured = result.Num(low)
	if low == high || o.Metric.Name == "lost" && unsure == 0 {
		r.Measured = result.Num(high)
	}
	return judgeBounds(o, r, low, high, result.Note{
		Kind: result.DeliveriesUnsure, Part: unsure + d.Unreadable + d.Unkeyed, Count: d.Acknowledged,
	})
}
