package series

import (
	"math"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A ReactionJudge judges objectives on reactions.
type ReactionJudge struct {
	*Reactions
	Faults []measure.Occurrence
	OverAt func(i int) time.Duration // the true end of an occurrence, by number
	Usage  []result.UnitUsage        // usage of the target's units
	Series []result.Series           // series of the scenario's metrics
	End    time.Duration             // end of the loads, or the present
}

// Occurrence judges when the user's monitoring, or a figure of the target, reacted to occurrence i. The effect of the
// fault on the load does not matter.
func (j ReactionJudge) Occurrence(o slo.Objective, i int, r *result.ObjectiveResult) {
	switch {
	case o.Metric.Row().Healing:
		j.resolved(o, i, r)
	case o.Metric.Row().Needs == slo.NeedsMark:
		j.marked(o, i, r)
	case o.Metric.Reaches():
		j.reached(o, j.Faults[i].Injected, r)
	default:
		j.noticed(o, i, r)
	}
}

// noticed judges when the monitoring detected occurrence i.
func (j ReactionJudge) noticed(o slo.Objective, i int, r *result.ObjectiveResult) {
	d, asked := j.Detected[i]
	if o.Metric.OfAlert() {
		d, asked = j.Alerts[AlertKey{i, o.Metric.Source}]
	}
	switch {
	case !asked:
		r.Because = result.Notes{{Kind: result.MonitorUnasked}}
	case d.Why != "":
		r.Because = result.Notes{{Kind: result.MonitorFailed, Text: d.Why}}
	case j.overlapping(i, d.At) != "":
		r.Because = result.Notes{{Kind: result.NoticedWhich, Of: j.overlapping(i, d.At)}}
	default:
		j.since(o, j.Faults[i].Injected, d, result.NoticedNone, r)
	}
}

// marked judges when a person marked occurrence i. A missing mark is unknown, because people may forget it.
func (j ReactionJudge) marked(o slo.Objective, i int, r *result.ObjectiveResult) {
	kind := result.MarkKind(o.Metric.Name)
	at, marked := j.Marks[MarkKey{i, kind}]
	if !marked {
		r.Because = result.Notes{{Kind: result.MarkNone, Text: string(kind)}}
		return
	}
	took := (at - j.Faults[i].Injected).Seconds()
	j.between(o, took, took, r)
}

// Stage judges when a figure of the target reached its value, counted from the begin of a stage.
func (j ReactionJudge) Stage(o slo.Objective) result.ObjectiveResult {
	from := j.Stages[o.After.String()]
	r := requests.Unanswered(o.After, result.Note{Kind: result.StageAbsent})
	if from < j.End {
		r.Because, r.Count = nil, 1
		j.reached(o, from, &r)
	}
	return r
}

// reached judges when a figure of the target reached its value, counted from an instant.
func (j ReactionJudge) reached(o slo.Objective, from time.Duration, r *result.ObjectiveResult) {
	var d Detection
	var unknown result.Notes
	d.At, d.NotYet, unknown = reached(o.Metric, from, result.Num(o.Value).D(), j.Usage, j.Series)
	if unknown != nil {
		r.Because = unknown
		return
	}
	if o.Metric.Scaled() && d.At > 0 && d.At == from {
		r.Because = result.Notes{{
			Kind: result.PodsBefore, Of: o.Metric.Source, Count: int64(math.RoundToEven(o.Metric.Until.Value)),
		}}
		return
	}
	j.since(o, from, d, result.ReachedNone, r)
	if o.Metric.Scaled() && d.At > 0 && len(r.Because) == 0 {
		if lost := lostAgain(o.Metric, d.At, j.Series); lost > 0 {
			r.Because = result.Notes{{Kind: result.PodsFewer, From: result.Sec(lost)}}
		}
	}
}

// since judges a reaction, counted from an instant. If there was no reaction, the objective gets a note of the kind
// none.
func (j ReactionJudge) since(
	o slo.Objective, from time.Duration, d Detection, none result.NoteKind, r *result.ObjectiveResult,
) {
	low := max(0, (d.NotYet - from).Seconds())
	if d.At == 0 {
		missing(o, low, none, r)
		return
	}
	j.between(o, low, (d.At - from).Seconds(), r)
}

// between judges a reaction that came between low and v, in seconds. It is inconclusive where the target lies between
// them.
func (j ReactionJudge) between(o slo.Objective, low, v float64, r *result.ObjectiveResult) {
	r.Measured, r.Low, r.High = result.Num(v), result.Num(low), result.Num(v)
	if r.Verdict = requests.VerdictIf(requests.Meets(o, v)); requests.Meets(o, low) != requests.Meets(o, v) {
		requests.Polled(r, result.Num(v-low), r.Low, r.High)
	}
}

// resolved judges when an alert was resolved, measured from the true end of the fault:
// while the fault is active, the alert is right to fire.
func (j ReactionJudge) resolved(o slo.Objective, i int, r *result.ObjectiveResult) {
	oc := j.Faults[i]
	d, asked := j.Resolved[AlertKey{i, o.Metric.Source}]
	switch other := j.overlapping(i, max(d.At, d.Still)); {
	case !asked:
		r.Because = result.Notes{{Kind: result.MonitorUnasked}}
		return
	case d.Why != "":
		r.Because = result.Notes{{Kind: result.MonitorFailed, Text: d.Why}}
		return
	case !oc.Over:
		r.Because = result.Notes{{Kind: result.FaultUncleared, Of: oc.Name}}
		return
	case other != "":
		r.Because = result.Notes{{Kind: result.FiredWhich, Of: other}}
		return
	}
	over := j.OverAt(i)
	low := max(0, (d.Still - over).Seconds())
	if d.At == 0 {
		missing(o, low, result.FiringStill, r)
		return
	}
	j.between(o, low, max(0, (d.At-over).Seconds()), r)
}

// missing judges a reaction that had not come by the last query, least seconds after the instant from which it
// counts. A note of the kind none says so.
func missing(o slo.Objective, least float64, none result.NoteKind, r *result.ObjectiveResult) {
	r.Low, r.Because = result.Num(least), result.Notes{{Kind: none, For: result.Num(least)}}
	if !requests.Meets(o, least) {
		r.Verdict, r.Measured = scenarios.Fail, result.Num(math.Inf(1))
	}
}

// overlapping returns the name of another occurrence that was active, up to its true end, between the injection of
// occurrence i and until. It is empty if there is none, or if until is zero.
func (j ReactionJudge) overlapping(i int, until time.Duration) string {
	if until == 0 {
		return "" // neither was detected
	}
	for k, other := range j.Faults {
		if k != i && other.Name != "" && other.Injected <= until && j.OverAt(k) > j.Faults[i].Injected {
			return other.Name
		}
	}
	return ""
}
