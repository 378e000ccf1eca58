package judge

import (
	"time"

	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// lateFor explains that brunt was so late around occurrence i that a time from a span may not hold, though it does as
// measured; holds is true where it does.
//
// A request counts in the window in which it was due. Where nearly all were sent late, what the target did at first was
// met by requests that were due before the fault, and what it did at last by such that were due before its end: by as
// much, an outage is longer than measured, or was missed. So the time has to hold with that lag added, if it is a tenth
// or more of what the objective allows.
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

// lagIn is the most by which nearly all requests of a window were late that were sent in a span: nine of ten of each
// set of faults, by lag beside the freezes of brunt, which hide what the target did in another way; see seen.
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

// sentAround is the span around occurrence i in which requests say how long an outage was: up to a second after it was
// over and the target good.
func (f *effects) sentAround(i int) requests.Span {
	to := min(f.read.end, f.read.overAt(i))
	if a := &f.answers[i]; a.RecoveredAt.Known() {
		to = max(to, a.RecoveredAt.D())
	}
	return requests.Span{From: f.read.Faults[i].Injected, To: f.read.later(to, time.Second)}
}
