package judge

import (
	"fmt"
	"math"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/answer"
	"brunt/scenarios/judge/counted"
	"brunt/scenarios/judge/gauge"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// judgeDetected judges when the user's monitoring detected occurrence i. The effect of the fault on
// the load does not matter.
func (f *composer) judgeDetected(o slo.Objective, i int, r *result.ObjectiveResult) {
	oc := f.Faults[i]
	d, asked := f.c.Detected[i]
	switch {
	case o.Metric.OfAlert():
		d, asked = f.c.Alerts[AlertKey{i, o.Metric.Source}]
	case o.Metric.Reaches():
		asked = true
		d.At, d.NotYet, d.Why = gauge.Reached(o.Metric, oc.Injected, f.c.Usage, f.c.Series)
	}
	switch {
	case !asked:
		r.Note = "the monitoring was not queried"
		return
	case d.Why != "":
		r.Note = d.Why
		return
	case !o.Metric.Reaches() && f.overlapping(i, d.At) != "":
		r.Note = fmt.Sprintf("%s was active at the same time, so it is unknown which of the two was noticed", f.overlapping(i, d.At))
		return
	}
	low := max(0, (d.NotYet - oc.Injected).Seconds())
	if d.At == 0 {
		f.judgeUnnoticed(o, low, r)
		return
	}
	f.judgeReaction(o, low, (d.At - oc.Injected).Seconds(), r)
}

// judgeReaction judges a reaction of the monitoring that came between two times.
func (f *composer) judgeReaction(o slo.Objective, low, v float64, r *result.ObjectiveResult) {
	r.Measured, r.Low, r.High = result.Num(v), result.Num(low), result.Num(v)
	if f.c.Strict && counted.Meets(o, low) != counted.Meets(o, v) {
		r.Verdict, r.Note = scenarios.Inconclusive, "strict: the target lies within the interval"
		return
	}
	r.Verdict = answer.VerdictIf(counted.Meets(o, v))
}

// judgeResolved judges when an alert was resolved, measured from the true end of the fault:
// while the fault is active, the alert is right to fire.
func (f *composer) judgeResolved(o slo.Objective, i int, r *result.ObjectiveResult) {
	oc := f.Faults[i]
	d, asked := f.c.Resolved[AlertKey{i, o.Metric.Source}]
	switch other := f.overlapping(i, max(d.At, d.Still)); {
	case !asked:
		r.Note = "the monitoring was not queried"
		return
	case d.Why != "":
		r.Note = d.Why
		return
	case !oc.Over:
		r.Note = oc.Name + " was not cleared"
		return
	case other != "":
		r.Note = fmt.Sprintf("%s was active at the same time, so it is unknown which of the two the alert fired for", other)
		return
	}
	over := f.overAt(i)
	low := max(0, (d.Still - over).Seconds())
	if d.At == 0 {
		f.judgeUnnoticed(o, low, r)
		r.Note = "still firing: > " + quantity.FormatSeconds(low)
		return
	}
	f.judgeReaction(o, low, max(0, (d.At-over).Seconds()), r)
}

// judgeUnnoticed judges a fault that the monitoring had not detected by its last query, least
// seconds after the injection.
func (f *composer) judgeUnnoticed(o slo.Objective, least float64, r *result.ObjectiveResult) {
	what := "noticed"
	if o.Metric.Reaches() {
		what = "reached"
	}
	r.Low, r.Note = result.Num(least), fmt.Sprintf("not %s: > %s", what, quantity.FormatSeconds(least))
	if !counted.Meets(o, least) {
		r.Verdict, r.Measured = scenarios.Fail, result.Num(math.Inf(1))
	}
}

// overlapping names another occurrence that was active between the injection of occurrence i
// and until, up to its true end. It is empty where there is none, and where until is zero.
func (f *composer) overlapping(i int, until time.Duration) string {
	if until == 0 {
		return "" // neither was detected
	}
	for j, other := range f.Faults {
		if j != i && other.Name != "" && other.Injected <= until && f.overAt(j) > f.Faults[i].Injected {
			return other.Name
		}
	}
	return ""
}
