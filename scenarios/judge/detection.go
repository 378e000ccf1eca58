package judge

import (
	"fmt"
	"math"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// detected holds when the team's monitoring noticed occurrence i against an objective.
// It is no matter of what the fault did to the load.
func (f *finisher) detected(o slo.Objective, i int, r *result.ObjectiveResult) {
	oc := f.Faults[i]
	d, asked := f.c.Detected[i]
	if o.Metric.OfAlert() {
		d, asked = f.c.Alerts[AlertKey{i, o.Metric.Source}]
	}
	switch {
	case !asked:
		r.Note = "the monitoring was not asked"
		return
	case d.Why != "":
		r.Note = d.Why
		return
	case f.meanwhile(i, d.At) != "":
		r.Note = fmt.Sprintf("%s was in as well, so it can't be told which of the two was noticed", f.meanwhile(i, d.At))
		return
	}
	low := max(0, (d.NotYet - oc.Injected).Seconds())
	if d.At == 0 {
		f.unnoticed(o, low, r)
		return
	}
	v := (d.At - oc.Injected).Seconds()
	r.Measured, r.Low, r.High = result.Num(v), result.Num(low), result.Num(v)
	switch {
	case f.c.Strict && meets(o, low) != meets(o, v):
		r.Verdict, r.Note = scenarios.Inconclusive, "strict: the interval straddles the target"
	case meets(o, v):
		r.Verdict = scenarios.Pass
	default:
		r.Verdict = scenarios.Fail
	}
}

// resolved holds when an alert was over against an objective, from the clearing of the
// fault on: while it is in, the alert is right to fire.
func (f *finisher) resolved(o slo.Objective, i int, r *result.ObjectiveResult) {
	oc := f.Faults[i]
	d, asked := f.c.Resolved[AlertKey{i, o.Metric.Source}]
	switch other := f.meanwhile(i, max(d.At, d.Still)); {
	case !asked:
		r.Note = "the monitoring was not asked"
		return
	case d.Why != "":
		r.Note = d.Why
		return
	case !oc.Over:
		r.Note = oc.Name + " was not cleared"
		return
	case other != "":
		r.Note = fmt.Sprintf("%s was in as well, so it can't be told which of the two it fired for", other)
		return
	}
	low := max(0, (d.Still - oc.Cleared).Seconds())
	if d.At == 0 {
		f.unnoticed(o, low, r)
		r.Note = "still firing: > " + quantity.FormatSeconds(low)
		return
	}
	v := max(0, (d.At - oc.Cleared).Seconds())
	r.Measured, r.Low, r.High = result.Num(v), result.Num(low), result.Num(v)
	switch {
	case f.c.Strict && meets(o, low) != meets(o, v):
		r.Note = "strict: the interval straddles the target"
	case meets(o, v):
		r.Verdict = scenarios.Pass
	default:
		r.Verdict = scenarios.Fail
	}
}

// unnoticed judges a fault that the monitoring had not noticed when it was asked last,
// least seconds after the injection.
func (f *finisher) unnoticed(o slo.Objective, least float64, r *result.ObjectiveResult) {
	r.Low, r.Note = result.Num(least), "not noticed: > "+quantity.FormatSeconds(least)
	if !meets(o, least) {
		r.Verdict, r.Measured = scenarios.Fail, result.Num(math.Inf(1))
	}
}

// meanwhile is another occurrence that was in between the injection of occurrence i
// and a time, or between that and the end where the time is zero; empty is none.
func (f *finisher) meanwhile(i int, until time.Duration) string {
	if until == 0 {
		return "" // nobody noticed either of them
	}
	for j, other := range f.Faults {
		if j != i && other.Name != "" && other.Injected <= until && (!other.Over || other.Cleared > f.Faults[i].Injected) {
			return other.Name
		}
	}
	return ""
}
