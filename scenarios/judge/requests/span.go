package requests

import (
	"cmp"
	"slices"
	"time"
)

// Span is the time from From to To.
type Span struct{ From, To time.Duration }

func (s Span) Length() time.Duration { return max(0, s.To-s.From) }

// Covered returns how much of s lies within any of the spans.
func (s Span) Covered(spans []Span) time.Duration {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b Span) int { return cmp.Compare(a.From, b.From) })
	sum, at := time.Duration(0), s.From
	for _, t := range spans {
		from, to := max(at, t.From), min(s.To, t.To)
		if to > from {
			sum += to - from
			at = to
		}
	}
	return sum
}

// United joins spans that overlap or touch.
func United(spans []Span) []Span {
	slices.SortFunc(spans, func(a, b Span) int { return cmp.Compare(a.From, b.From) })
	var out []Span
	for _, s := range spans {
		if n := len(out); n > 0 && s.From <= out[n-1].To {
			out[n-1].To = max(out[n-1].To, s.To)
			continue
		}
		out = append(out, s)
	}
	return out
}
