package judge

import (
	"time"

	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// lateFor explains that brunt was so late around occurrence i that an objective on a time may not hold, although it
// holds as measured. holds is true if it holds with the lag as well.
//
// A request counts in the window in which it was due. If brunt sends nearly all requests late by d, requests that
// were due before the fault meet its beginning, and those that were due before its end meet what follows. An outage
// is then up to d longer than measured. So the objective also has to hold for the measured time plus d, if d is a
// tenth or more of the time that the objective allows.
func (f *effects) lateFor(o slo.Objective, i int, measured result.Num) (why result.Note, holds bool) {
	if o.Metric.Row().Unit != slo.Seconds || o.Op == "=" {
		return result.Note{}, true
	}
	in := f.sentAround(i)
	lag := f.read.lagIn(o, in)
	v := float64(measured) + lag.Seconds()
	if !o.Upper() {
		v = float64(measured) - lag.Seconds()
	}
	if 10*lag.Seconds() < o.Value || requests.Meets(o, v) {
		return result.Note{}, true
	}
	return result.Note{
		Kind: result.OwnLate, From: result.Sec(in.From), For: result.Sec(lag.Round(time.Millisecond)),
	}, false
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
