package judge

import (
	"math"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/measure"
	"brunt/scenarios/slo"
)

// burn is the largest rate at which a span of the phase used up the error budget: the share of bad
// requests among the offered ones, over one minus the objective. 1 uses it up exactly. A phase
// shorter than the span is one span.
func (f *composer) burn(o slo.Objective, p phase, as view) (worst float64, all sum) {
	in := f.slicesAs(o, p.has, as)
	worst = math.NaN()
	var n, bad int64
	from := 0
	for i := range in {
		n += in[i].Offered
		bad += in[i].Bad
		all.Kinds[scenarios.OK] += in[i].Offered - in[i].Bad
		all.Kinds[scenarios.Error] += in[i].Bad
		for in[i].End-in[from].Start > o.Metric.Span {
			n -= in[from].Offered
			bad -= in[from].Bad
			from++
		}
		full := in[i].End-in[from].Start > o.Metric.Span-time.Second || i == len(in)-1
		if full && n > 0 {
			if b := float64(bad) / float64(n) / (1 - o.Metric.Share); !(b <= worst) {
				worst = b
			}
		}
	}
	return worst, all
}

// timeslices is the share of slices of the phase whose availability, ok/offered, reaches the slice target,
// and the number of slices. Slices begin at whole seconds; one that the phase begins or ends in
// counts with its part in the phase.
//
// A slice in which a closed load offered nothing because its requests were in flight and none ended
// is not good. Other slices in which nothing was offered do not count.
func (f *composer) timeslices(o slo.Objective, p phase, as view) (share float64, n int64) {
	type slice struct {
		n, good int64
		stalled bool // for its whole length
	}
	var list []slice
	last := time.Duration(math.MinInt64)
	begin := measure.FloorSecond(p.From)
	for _, s := range f.slicesAs(o, p.has, as) {
		if s.End <= p.From && s.Offered == 0 || s.Start >= p.To {
			continue
		}
		if i := max(0, s.Start-begin) / o.Metric.Span; i != last || len(list) == 0 {
			list = append(list, slice{stalled: true})
			last = i
		}
		t := &list[len(list)-1]
		t.n += s.Offered
		t.good += s.Good
		t.stalled = t.stalled && s.Stalled() && f.closedAt(o, s.Start)
	}
	met := int64(0)
	for _, t := range list {
		switch {
		case t.n > 0 && float64(t.good)/float64(t.n) >= o.Metric.Share*(1-1e-13):
			met++
			n++
		case t.n > 0 || t.stalled:
			n++
		}
	}
	if n == 0 {
		return math.NaN(), 0
	}
	return float64(met) / float64(n), n
}

// closedAt reports whether a closed load that the objective selects runs at t.
func (f *composer) closedAt(o slo.Objective, t time.Duration) bool {
	for i, l := range f.Config.Loads {
		if l.Closed && about(&f.Config.Series, o, i) && t >= f.c.Loads[i].From && t < f.c.Loads[i].To {
			return true
		}
	}
	return false
}
