package judge

import (
	"cmp"
	"math"
	"slices"
	"time"

	"brunt/scenarios/judge/effect"
	"brunt/scenarios/judge/requests"
)

// supposed returns slices in which all requests that were due in spans are bad, or good. If users of a closed load
// waited in a span instead of sending, as many bad requests count as such a time usually has.
func supposed(in []effect.Slice, spans []requests.Span, isGood bool) []effect.Slice {
	if len(spans) == 0 {
		return in
	}
	n, d := int64(0), time.Duration(0)
	for i := range in {
		if s := &in[i]; s.End <= spans[0].From {
			n, d = n+s.N, d+s.End-s.Start
		}
	}
	usual := float64(n) / max(1e-9, d.Seconds())
	for i := range in {
		s := &in[i]
		width := s.End - s.Start
		hidden := requests.Span{From: s.Start, To: s.End}.Covered(spans)
		if hidden == 0 {
			continue
		}
		due := int64(math.Round(float64(s.N) * hidden.Seconds() / width.Seconds()))
		more := max(0, int64(math.Round(usual*hidden.Seconds()))-due)
		if isGood {
			bad := min(s.Bad, s.N-due) // of the others, at most
			s.Good, s.Bad = s.Good+s.Bad-bad, bad
			more = 0
		} else {
			bad := min(due, s.Good)
			s.Good, s.Bad = s.Good-bad, s.Bad+bad+more
		}
		s.N, s.Offered = s.N+more, s.Offered+more
		if s.Marks != nil {
			list := requests.Span{From: s.Start, To: s.End}
			s.Marks = marks(s.Marks, list, spans, float64(due+more)/hidden.Seconds(), isGood)
		}
	}
	return in
}

// marks lists the requests of a slice, with those in spans replaced by bad ones, or good ones, at a rate per second.
func marks(
	marks func([]effect.Mark) []effect.Mark, slice requests.Span, spans []requests.Span, rate float64, isGood bool,
) func([]effect.Mark) []effect.Mark {
	return func(out []effect.Mark) []effect.Mark {
		n := len(out)
		out = slices.DeleteFunc(marks(out), func(m effect.Mark) bool {
			return m.At >= slice.From && slices.ContainsFunc(spans,
				func(s requests.Span) bool { return m.At >= s.From && m.At < s.To })
		})
		for _, s := range spans {
			from, to := max(s.From, slice.From), min(s.To, slice.To)
			for k := range int(math.Round(rate * max(0, to-from).Seconds())) {
				at := from + time.Duration(float64(k)/rate*float64(time.Second))
				out = append(out, effect.Mark{At: at, Bad: !isGood})
			}
		}
		n = min(n, len(out))
		slices.SortStableFunc(out[n:], func(a, b effect.Mark) int { return cmp.Compare(a.At, b.At) })
		return out
	}
}
