package judge

import (
	"math"
	"time"

	"brunt/scenarios/judge/effect"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// mostRaised is the factor by which a load may exceed that of the baseline and count as the same.
const mostRaised = 1.05

// unrecovered says why the load had not recovered from occurrence i by its end. a is the answer of the occurrence.
func (f *effects) unrecovered(i int, a effect.Answer) result.Unrecovered {
	if a.Impact != result.NotRecovered {
		return ""
	}
	last := requests.Span{From: f.read.end - f.read.c.Hold, To: f.read.end}
	switch {
	case !f.read.Faults[i].Over, !f.read.c.Occurrences[i].Gone, f.read.away(i, last):
		return result.StillAway
	case f.read.overAt(i) > last.From:
		return result.GoneTooShort
	}
	switch f.raised(f.mainObjective(f.read.Faults[i].Fault), last) {
	case result.Yes:
		return result.LoadRaised
	case result.No:
		return result.GoneStillHarm
	}
	return result.LoadUntold
}

// raised tells whether the load that an objective selects offered more requests in a span than in the baseline. The
// answer is yes if it did by more than chance explains: the lower end of the 95 % interval of the rate (the normal
// approximation of a Poisson count) is above mostRaised times the rate of the baseline. It is no if the rate itself is
// not above that.
func (f *effects) raised(o slo.Objective, in requests.Span) result.Answer {
	rate := func(slices []effect.Slice, deviations float64) float64 {
		var n int64
		var long time.Duration
		for _, s := range slices {
			n += s.Offered
			long += s.End - s.Start
		}
		if long <= 0 {
			return 0
		}
		return (float64(n) - deviations*math.Sqrt(float64(n))) / long.Seconds()
	}
	all := func(measure.Key, []int32) bool { return true }
	most, now := mostRaised*rate(f.baseline(o), 0), f.read.slices(in, o, all)
	switch {
	case most > 0 && rate(now, effect.Normal975) > most:
		return result.Yes
	case most > 0 && rate(now, 0) <= most:
		return result.No
	}
	return result.Untested
}
