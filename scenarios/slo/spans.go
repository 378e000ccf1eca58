package slo

import (
	"math"
	"sort"
	"time"
)

// burn returns the largest rate at which a span of the phase used up the error budget: the share of bad requests
// among the offered ones, divided by one minus the objective. A rate of 1 uses up the budget exactly. A phase shorter
// than the span is one span.
//
// The span slides by single requests and lies completely within the phase: burn checks each span that begins or ends
// with a request of a slice with bad requests. In slices without a bad request, the requests count as evenly spread.
func burn(m Metric, p Spans) (worst float64, requests int64) {
	worst = math.NaN()
	from, to := p.From, p.To
	for i := range p.Slices {
		s := &p.Slices[i]
		requests += s.Offered
		if s.Offered > 0 { // requests of a fault's phase may have been in flight at its injection
			from, to = min(from, s.Start), max(to, s.Start)
		}
	}
	last := max(from, to-m.Span) // the latest begin of a span
	begins, ends := timeline{slices: p.Slices}, timeline{slices: p.Slices}
	slide := func(at time.Duration) {
		at = min(max(at, from), last)
		n0, bad0 := begins.before(at)
		n1, bad1 := ends.before(at + m.Span)
		if to-from <= m.Span {
			n1, bad1 = ends.before(math.MaxInt64)
		}
		if n1 > n0 {
			if b := (bad1 - bad0) / (n1 - n0) / (1 - m.Share); !(b <= worst) {
				worst = b
			}
		}
	}
	slide(from)
	each := func(do func(at time.Duration)) {
		begins, ends = timeline{slices: p.Slices}, timeline{slices: p.Slices}
		for i := range p.Slices {
			if s := &p.Slices[i]; s.Bad > 0 {
				for _, r := range s.steps(nil) {
					do(r.at)
				}
			}
		}
		slide(last)
	}
	each(slide)                                             // spans that begin with a request
	each(func(at time.Duration) { slide(at + 1 - m.Span) }) // spans that end with a request
	return worst, requests
}

// A timeline counts requests up to an instant. Instants must ascend.
type timeline struct {
	slices []Slice
	i      int     // index of the slice of the instant
	n, bad float64 // requests and bad requests before that slice
	steps  []step  // steps of slice i, once needed
}

// A step is a request, or several at the same time, with the sums of its slice up to and including it.
type step struct {
	at     time.Duration
	n, bad float64
}

// before counts the requests, and the bad requests, before t.
func (l *timeline) before(t time.Duration) (n, bad float64) {
	for l.i < len(l.slices) && l.slices[l.i].End <= t {
		l.n += float64(l.slices[l.i].Offered)
		l.bad += float64(l.slices[l.i].Bad)
		l.i++
		l.steps = l.steps[:0]
	}
	if l.i == len(l.slices) || t <= l.slices[l.i].Start {
		return l.n, l.bad
	}
	s := &l.slices[l.i]
	if s.Bad == 0 {
		part := float64(s.Offered) * float64(t-s.Start) / float64(s.End-s.Start)
		return l.n + math.Ceil(part-1e-9), l.bad
	}
	if len(l.steps) == 0 {
		l.steps = s.steps(l.steps)
	}
	j := sort.Search(len(l.steps), func(j int) bool { return l.steps[j].at >= t })
	if j == 0 {
		return l.n, l.bad
	}
	return l.n + l.steps[j-1].n, l.bad + l.steps[j-1].bad
}

// steps lists the requests of a slice. Requests of one kind at one instant share a step. Requests whose instants are
// unknown are spread over 16 steps.
func (s *Slice) steps(into []step) []step {
	var kinds [2][]time.Duration // good, bad
	if s.Requests != nil {
		s.Requests(func(at time.Duration, bad bool) {
			k := 0
			if bad {
				k = 1
			}
			kinds[k] = append(kinds[k], at)
		})
	}
	each := [2]float64{float64(s.Offered - s.Bad), float64(s.Bad)}
	for k := range kinds {
		if len(kinds[k]) == 0 && each[k] > 0 {
			for i := range time.Duration(16) {
				kinds[k] = append(kinds[k], s.Start+(s.End-s.Start)*i/16)
			}
		}
		each[k] /= max(1, float64(len(kinds[k])))
	}
	at := step{}
	for i, j := 0, 0; i < len(kinds[0]) || j < len(kinds[1]); {
		if j == len(kinds[1]) || i < len(kinds[0]) && kinds[0][i] < kinds[1][j] {
			at.at = kinds[0][i]
			at.n += each[0]
			i++
		} else {
			at.at = kinds[1][j]
			at.n += each[1]
			at.bad += each[1]
			j++
		}
		into = append(into, at)
	}
	return into
}

// timeslices returns the share of slices of the phase whose availability, ok/offered, reaches the target of a slice,
// and the number of slices. Slices begin at whole seconds. A slice in which the phase begins or ends counts with its
// part in the phase.
//
// A slice in which a closed load offered no request, because its requests were in flight and none ended, is not good.
// Other slices without an offered request do not count.
func timeslices(m Metric, p Spans) (share float64, n int64) {
	type slice struct {
		n, good int64
		blocked bool // blocked for its whole length
	}
	var list []slice
	last := time.Duration(math.MinInt64)
	begin := p.From.Truncate(time.Second) // exact, because a phase begins at 0 or later
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
