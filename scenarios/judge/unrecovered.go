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
	case !f.read.Faults[i].Over, !f.read.c.Gone[i], f.read.unwell(i, last):
		return result.StillAway
	case f.read.overAt(i) > last.From:
		return result.GoneTooShort
	case f.raised(f.mainObjective(f.read.Faults[i].Fault), last):
		return result.LoadRaised
	}
	return result.GoneStillHarm
}

// raised reports whether the load that an objective selects offered more requests in a span than in the baseline, by
// more than chance explains: the lower end of the 95 % interval of the rate (the normal approximation of a Poisson
// count) is above mostRaised times the rate of the baseline.
func (f *effects) raised(o slo.Objective, in requests.Span) bool {
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
	before := rate(f.baseline(o), 0)
	return before > 0 && rate(f.read.slices(in, o, all), effect.Normal975) > mostRaised*before
}
