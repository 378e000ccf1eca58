package effect

import (
	"math"
	"time"
)

// A stretch is a span of a degradation without good service in it.
type stretch struct {
	from, to   int  // slices
	begin, end edge // of its bad requests; the first begins and the last ends as the degradation does
}

// stretches divides the degradation of the slices in [onset, to) by the good service within it.
//
// Good service lasts for a second or more of whole slices, whose pooled bad share is within the limit, and in which
// no load is stalled. It has so many good requests that the share of the degradation explains them in under 1 % of
// incidents. That is less than a hold: it shows that requests were good for a while, and not that the target had
// recovered.
func (c chances) stretches(q Question, onset, to int) []stretch {
	if to <= onset {
		return nil
	}
	r := c.ratesOf(q, onset, to)
	worse, better := math.Log(r.bad/r.calm)/r.phi, math.Log((1-r.calm)/(1-r.bad))/r.phi
	enough := math.Log(max(1, (q.Slices[to-1].End-q.Slices[onset].Start).Seconds()) / tailSame)
	var out []stretch
	add := func(from, to int) {
		s := q
		s.Slices = q.Slices[:to]
		begin, exact := c.begin(s, max(from-1, 0), from)
		if !exact {
			if begin, exact = stallBegin(s, from); exact {
				begin = begin.notBefore(0)
			}
		}
		if !exact && marked(q.Slices[from:to]) && len(out) > 0 { // single bad requests
			return
		}
		if !exact {
			begin = edgeAt(q.Slices[from].Start, time.Second)
		}
		out = append(out, stretch{from: from, to: to, begin: begin})
	}
	begun := onset                           // of the current stretch
	first, n, k := onset, int64(0), int64(0) // the current run of good slices
	for i := onset; i <= to; i++ {
		if i < to && c.good(&q.Slices[i], n, k) {
			n, k = n+q.Slices[i].N, k+q.Slices[i].Bad
			continue
		}
		if first < i && begun < first && q.Slices[i-1].End-q.Slices[first].Start >= narrow &&
			float64(n-k)*better-float64(k)*worse >= enough && i < to {
			add(begun, first)
			begun = i
		}
		first, n, k = i+1, 0, 0
	}
	add(begun, to)
	for i := range out[:len(out)-1] {
		s := q
		s.Slices = q.Slices[:out[i+1].from]
		out[i].end = c.goodFrom(s, out[i].from, out[i].to, time.Second)
	}
	return out
}

// good reports whether a slice continues good service of n requests, of which k were bad.
func (c chances) good(s *Slice, n, k int64) bool {
	return !s.Stalled() && float64(k+s.Bad) <= c.limit*float64(n+s.N)
}

// marked reports whether the single requests of all slices are known.
func marked(slices []Slice) bool {
	for i := range slices {
		if slices[i].Marks == nil && slices[i].Offered > 0 {
			return false
		}
	}
	return true
}
