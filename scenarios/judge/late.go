package judge

import (
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// lateFor explains that brunt was so late around occurrence i that the verdict of an objective on a time may be
// another one. holds is true if it is the same with the lag as well.
//
// A request counts in the window in which it was due. If brunt sends nearly all requests late by d, requests that
// were due before the fault meet its beginning, and those that were due before its end meet what follows. An outage
// is then up to d longer than measured, or shorter, if requests show its begin. For a pass d counts only if it is a
// tenth or more of the time that the objective allows.
func (f *effects) lateFor(o slo.Objective, i int, r *result.ObjectiveResult) (why result.Note, holds bool) {
	if o.Metric.Row().Unit != slo.Seconds || o.Op == "=" || !r.Measured.Known() && !r.Low.Known() {
		return result.Note{}, true
	}
	low, high := r.Low, r.High
	if !low.Known() {
		low = r.Measured
	}
	if !high.Known() {
		high = max(low, r.Measured)
	}
	in, met := f.sentAround(i), r.Verdict == scenarios.Pass
	lag := f.read.lagIn(o, in)
	late := result.Sec(lag)
	if met && 10*float64(late) < o.Value {
		return result.Note{}, true
	}
	fromOnset := o.After.Kind == slo.IncidentPhase || o.Metric.Row().Lasts || f.read.c.Occurrences[i].Group
	if fromOnset { // which the requests show, and brunt's own clock the injection and the end
		low -= late
	}
	if requests.Meets(o, float64(low)) == met && requests.Meets(o, float64(high+late)) == met {
		return result.Note{}, true
	}
	return lateNote(in, lag), false
}

// lateNote says that nearly all requests of a span were sent late.
func lateNote(in requests.Span, lag time.Duration) result.Note {
	return result.Note{Kind: result.OwnLate, From: result.Sec(in.From), For: result.Sec(lag.Round(time.Millisecond))}
}

// lagIn returns the largest lag of a window whose requests were sent in a span. The lag of a window is the lag that
// nine of ten of its requests exceed. Freezes of brunt do not count in it: [withUnseen] deals with them.
func (f *readings) lagIn(o slo.Objective, in requests.Span) (most time.Duration) {
	freezes := f.freezes()
	for next := 0; next < len(f.records) && f.records[next].Start < in.To; {
		start := f.records[next].Start
		least := map[int]time.Duration{} // by load
		for ; next < len(f.records) && f.records[next].Start == start; next++ {
			r := &f.records[next]
			l := int(r.Series) - len(f.Config.Steps)
			if l < 0 || r.waits == 0 || !requests.About(&f.Config.Series, o, l) {
				continue
			}
			if d, known := least[l]; !known || r.lag < d {
				least[l] = r.lag
			}
		}
		end := f.EndOf(start)
		for _, d := range least {
			if end+d >= in.From && start >= 0 {
				most = max(most, d-measure.Frozen(freezes, start, end+d))
			}
		}
	}
	return most
}

// sentAround returns the span in which requests show how long the outage of occurrence i lasted: from the injection
// to a second after the fault was over and the target was good.
func (f *effects) sentAround(i int) requests.Span {
	to := min(f.read.end, f.read.overAt(i))
	if a := f.answers[i].Harm(); a.RecoveredAt.Known() {
		to = max(to, a.RecoveredAt.D())
	}
	return requests.Span{From: f.read.Faults[i].Injected, To: f.read.later(to, time.Second)}
}
