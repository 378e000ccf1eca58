package judge

import (
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A faultAsk is an objective on an occurrence of a fault, or on the incidents that faults caused.
type faultAsk struct {
	o     slo.Objective
	of    []int                                 // the occurrences that the objective is about
	judge func(*effects) result.ObjectiveResult // judges the objective by other readings
	// lists spans in which brunt saw nothing, and in which an outage could change the verdict
	unseen func(f *effects, of int) []requests.Span
}

// faultAdjustments are the adjustments of an objective on a fault, in the order in which they are applied. Each applies
// only while the verdict is still one that it may change.
var faultAdjustments = []adjusting[func(*effects, *faultAsk, result.ObjectiveResult) result.ObjectiveResult]{
	{Adjustment: Adjustment{
		"not the load",
		"brunt failed at over 1 % of the requests during the fault, not counting the times in which it saw nothing of the " +
			"target",
		"a pass is invalid, because the load was not the scheduled one",
	}, make: notTheLoad},
	{Adjustment: Adjustment{
		"lag",
		"if nearly all requests around the fault were sent late, an outage counts as longer by that lateness, or as shorter; " +
			"for a pass, where it is a tenth or more of what the objective allows",
		"a pass and a failure are invalid",
	}, make: withLag, of: []scenarios.Verdict{scenarios.Pass, scenarios.Fail}},
	{Adjustment: Adjustment{
		"slow by lag",
		"if the fault made answers far slower, or may have, slow answers count as bad that brunt's lag in their second " +
			"alone may explain",
		"a pass is inconclusive: how long answers were slow is not certain",
	}, make: withLagged},
	{Adjustment: Adjustment{
		"unseen",
		"the target counts as down whenever brunt saw nothing of it, because brunt stood still or failed at each request " +
			"that was due. That is for times as long as all that the objective allows, or that contain the instant by which " +
			"the target has to be good, or the end of the outage. A failure is judged as if the target had been good then",
		"a pass and a failure are invalid",
	}, make: withUnseen, of: []scenarios.Verdict{scenarios.Pass, scenarios.Fail}},
	{Adjustment: Adjustment{
		"ends",
		"a time is known to lie between two ends only, and the target is between them. The ends count as closer to the " +
			"measured value, by as long as brunt saw nothing, or sent nearly all requests late",
		"an inconclusive objective is invalid, because the load alone would have decided it",
	}, make: ownEnds, of: []scenarios.Verdict{scenarios.Inconclusive}},
	{Adjustment: Adjustment{cutName, cutCounts, cutChanged}, make: withoutCut, of: failed},
	{Adjustment: Adjustment{heldName, heldCounts, heldChanged}, make: withHeldGood, of: failed},
}

// failed is the verdict that [withoutCut] and [withHeldGood] may change.
var failed = []scenarios.Verdict{scenarios.Fail}

// seen applies the adjustments to the result of an objective on a fault.
func (f *effects) seen(q *faultAsk, r result.ObjectiveResult) result.ObjectiveResult {
	for _, a := range faultAdjustments {
		if a.of == nil && r.Verdict == scenarios.Pass || slices.Contains(a.of, r.Verdict) {
			r = a.make(f, q, r)
		}
	}
	return r
}

// notTheLoad makes the objective invalid if the load during a fault was not the scheduled one.
func notTheLoad(f *effects, q *faultAsk, r result.ObjectiveResult) result.ObjectiveResult {
	for _, i := range q.of {
		if why, scheduled := f.read.unsentIn(q.o, i); !scheduled {
			r.Doubt(why)
			break
		}
	}
	return r
}

// withLag adds the lag of the requests around a fault to the measured time; see lateFor.
func withLag(f *effects, q *faultAsk, r result.ObjectiveResult) result.ObjectiveResult {
	for _, i := range q.of {
		if why, holds := f.lateFor(q.o, i, &r); !holds {
			r.Doubt(why)
			break
		}
	}
	return r
}

// withLagged judges an objective again, and counts slow answers as bad even if the largest lag in their second may
// explain the whole delay. It does so for requests that met a fault which made answers far slower, or may have.
//
// The largest lag of a second belongs to one request, but is subtracted from all answers of the second. That is right
// for a fault without an effect. But a fault that makes all answers slower does not end because brunt happens to be
// late.
func withLagged(f *effects, q *faultAsk, r result.ObjectiveResult) result.ObjectiveResult {
	if f.read.asksSlow(q.o) {
		return r
	}
	var records []record
	for i := range f.read.Faults {
		if s := f.slowdownOf(q.o, i); s.Answer == result.No || s.Far == result.No {
			continue
		}
		for _, j := range f.read.index().Affected[i] {
			if f.read.records[j].Own.Slow == 0 {
				continue
			}
			if records == nil {
				records = slices.Clone(f.read.records)
			}
			records[j].Own.Slow, records[j].edges = 0, f.read.records[j].edges.LaggedAsBad()
		}
	}
	if records == nil {
		return r
	}
	read := *f.read
	read.records = records
	if q.judge(f.supposing(read)).Verdict != scenarios.Pass {
		r.Verdict, r.Because = scenarios.Inconclusive, result.Notes{{Kind: result.OwnSlow}}
	}
	return r
}

// withUnseen judges an objective as if the target had been down whenever brunt did not observe it.
//
// While brunt stood still, or failed to send each request that was due, no request shows what the target did. Such a
// span may hide an outage of up to its length, but no longer, because brunt saw the target before and after it. So
// the fault is judged again with the requests of certain spans as bad. A span counts if it is as long as the time
// that the objective allows. A shorter span counts if it contains the deadline by which the target must be good, and
// either lasts at least a tenth of the allowed time or contains the end of the observed outage. If that changes a
// pass, the pass says nothing about the target. Other spans can't change it: an outage within them is over in time,
// or is an outage of its own that is far shorter than allowed. For sums over the fault, such as degraded, each span
// counts that is at least a tenth of the time from the injection to the recovery, or contains the end of the outage.
//
// A failure is judged as if the target had been good in all spans in which brunt saw nothing.
func withUnseen(f *effects, q *faultAsk, r result.ObjectiveResult) result.ObjectiveResult {
	var spans []requests.Span
	if r.Verdict == scenarios.Fail {
		spans = f.read.unseen(q.o, f.read.run())
	} else {
		for _, i := range q.of {
			spans = append(spans, q.unseen(f, i)...)
		}
	}
	if spans = requests.United(spans); len(spans) == 0 {
		return r
	}
	read := *f.read
	read.hidden, read.hiddenGood = spans, r.Verdict == scenarios.Fail
	if q.judge(f.supposing(read)).Verdict != r.Verdict {
		return f.read.c.Lost.Hidden(r, spans)
	}
	return r
}

// ownEnds makes an objective invalid that is open only because brunt itself saw nothing, or was late, for as long as
// its ends are apart.
func ownEnds(f *effects, q *faultAsk, r result.ObjectiveResult) result.ObjectiveResult {
	if !r.Because.Has(result.EndsDecide) {
		return r
	}
	for _, i := range q.of {
		in := f.sentAround(i)
		lag, spans := f.read.lagIn(q.o, in), f.read.unseen(q.o, in)
		own := lag
		for _, s := range spans {
			own = max(own, s.Length())
		}
		closer := r
		closer.Low, closer.High = min(r.Measured, r.Low+result.Sec(own)), max(r.Measured, r.High-result.Sec(own))
		switch {
		case requests.EndsDiffer(q.o, &closer):
		case own == lag:
			r.Doubt(lateNote(in, lag))
		default:
			return f.read.c.Lost.Hidden(r, spans)
		}
	}
	return r
}

// unseenAround lists the spans around occurrence i in which brunt saw nothing and which could change the verdict of
// an objective `after incident`: an incident begins or ends in them, or they are as long as the objective allows.
// They lie between the injection and a hold after the end of the fault.
func (f *effects) unseenAround(o slo.Objective, i int) (out []requests.Span) {
	in := requests.Span{From: f.read.Faults[i].Injected, To: f.read.later(f.read.overAt(i), f.read.c.Hold)}
	for _, s := range f.read.c.Lost.Unseen(f.read.unseen(o, in), &f.read.Config.Series, o, in) {
		edge := slices.ContainsFunc(f.incidents, func(in *incident) bool { return s.From <= in.End && s.To >= in.Begin })
		if edge || s.Length().Seconds() >= o.Value {
			out = append(out, s)
		}
	}
	return out
}

// injected lists the occurrences that were injected.
func (f *effects) injected() (of []int) {
	for i := range f.read.Faults {
		if f.read.Faults[i].Name != "" {
			of = append(of, i)
		}
	}
	return of
}
