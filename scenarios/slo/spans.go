package slo

import (
	"math"
	"time"
)

// burn is the largest rate at which a span of the phase used up the error budget: the share of bad
// requests among the offered ones, over one minus the objective. 1 uses it up exactly. A phase
// shorter than the span is one span.
func burn(m Metric, p Spans) (worst float64, requests int64) {
	in := p.Slices
	worst = math.NaN()
	var n, bad int64
	from := 0
	for i := range in {
		n += in[i].Offered
		bad += in[i].Bad
		requests += in[i].Offered
		for in[i].End-in[from].Start > m.Span {
			n -= in[from].Offered
			bad -= in[from].Bad
			from++
		}
		full := in[i].End-in[from].Start > m.Span-time.Second || i == len(in)-1
		if full && n > 0 {
			if b := float64(bad) / float64(n) / (1 - m.Share); !(b <= worst) {
				worst = b
			}
		}
	}
	return worst, requests
}

// timeslices is the share of slices of the phase whose availability, ok/offered, reaches the slice
// target, and the number of slices. Slices begin at whole seconds; one that the phase begins or ends
// in counts with its part in the phase.
//
// A slice in which a closed load offered nothing because its requests were in flight and none ended
// is not good. Other slices in which nothing was offered do not count.
func timeslices(m Metric, p Spans) (share float64, n int64) {
	type slice struct {
		n, good int64
		blocked bool // for its whole length
	}
	var list []slice
	last := time.Duration(math.MinInt64)
	begin := p.From.Truncate(time.Second) // a phase begins at 0 or later
	for _, s := range p.Slices {
		if s.End <= p.From && s.Offered == 0 || s.Start >= p.To {
			continue
		}
		if i := max(0, s.Start-begin) / m.Span; i != last || len(list) == 0 {
			list = append(list, slice{blocked: true})
			last = i
		}
		t := &list[len(list)-1]
		t.n += s.Offered
		t.good += s.Good
		t.blocked = t.blocked && s.Blocked
	}
	met := int64(0)
	for _, t := range list {
		switch {
		case t.n > 0 && float64(t.good)/float64(t.n) >= m.Share*(1-1e-13):
			met++
			n++
		case t.n > 0 || t.blocked:
			n++
		}
	}
	if n == 0 {
		return math.NaN(), 0
	}
	return float64(met) / float64(n), n
}
