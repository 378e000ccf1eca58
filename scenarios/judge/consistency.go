package judge

import (
	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// judgeRegisters judges an objective on registers. An operation that took no part in the check could only add to the
// value. So if there are some, no objective passes, and one fails only if a greater value would fail as well.
//
// all holds the findings on all registers of the run. An objective that names none is about the only ones.
func judgeRegisters(o slo.Objective, all []*result.ConsistencyRecord) result.ObjectiveResult {
	r := requests.Unanswered(slo.Phase{Kind: slo.RunPhase})
	var c *result.ConsistencyRecord
	for _, one := range all {
		if one.Name == o.Metric.Source || o.Metric.Source == "" && len(all) == 1 {
			c = one
		}
	}
	if c == nil {
		r.Because = result.Notes{{Kind: result.RegistersAbsent}}
		return r
	}
	n := o.Metric.Row().Registers(slo.Registers{Anomalies: c.Anomalies, Staleness: float64(c.Staleness)})
	r.Count, r.Measured = c.Reads+c.Writes+c.Refused+c.Unknown, result.Num(n)
	verdict := requests.VerdictIf(o.Holds(n))
	surely := verdict == scenarios.Fail && (o.Upper() || o.Op == "=" && n > o.Value)
	switch {
	case !c.Shows() && c.Anomalies == 0:
		r.Because = result.Notes{{Kind: result.RegistersIdle, Count: c.Reads, Part: c.Writes}}
	case c.Undecided > 0 && !surely:
		r.Because = result.Notes{{Kind: result.RegistersOpen, Count: c.Undecided}}
	case !c.Whole() && !surely:
		r.Because = result.Notes{{
			Kind: result.RegistersPart, Part: c.LeftOut + c.Unrecorded, Count: r.Count + c.Unrecorded,
		}}
	default:
		r.Verdict = verdict
	}
	return r
}
