package judge

import (
	"cmp"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/impact"
	"brunt/scenarios/measure"
)

// Span is a stretch of time; To is its end.
type Span struct{ From, To time.Duration }

func (s Span) length() time.Duration { return max(0, s.To-s.From) }

// covered is how much of s lies within any of the spans.
func (s Span) covered(spans []Span) time.Duration {
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

// phase is a span of the run over which cells are summed.
type phase struct {
	name string
	Span
	of  int // number of its occurrence; ofNone for none
	has func(k measure.Key, set []int32) bool
}

// ofNone marks a phase that belongs to no fault.
const ofNone = -1

// phases lists the phases of a run: warm-up, run, baseline, and for each occurrence of a fault the
// phase itself and its recovery. The recovery is empty without an impact, or if the target recovered
// before the clearing; without recovery it lasts to the end.
func (f *composer) phases(warmup time.Duration, end time.Duration, answers []impact.Answer) []phase {
	out := []phase{}
	if warmup > 0 {
		out = append(out, phase{"warmup", Span{-warmup, 0}, ofNone, func(k measure.Key, _ []int32) bool { return k.Start < 0 }})
	}
	out = append(out, phase{"run", Span{0, end}, ofNone, func(k measure.Key, _ []int32) bool { return k.Start >= 0 }})
	out = append(out, phase{"baseline", Span{0, min(end, f.FirstInjection())}, ofNone, func(k measure.Key, _ []int32) bool { return f.InBaseline(k) }})
	for i := range f.Faults {
		oc := &f.Faults[i]
		if oc.Name == "" {
			continue
		}
		cleared := oc.Until()
		if !oc.Over {
			cleared = end
		}
		out = append(out, phase{oc.Name, Span{oc.Injected, max(oc.Injected, min(end, cleared))}, i, func(k measure.Key, set []int32) bool {
			return k.Start >= 0 && slices.Contains(set, int32(i))
		}})
		until := end
		if a := &answers[i]; a.RecoveredAt.Known() {
			until = a.RecoveredAt.D()
		}
		out = append(out, phase{scenarios.RecoveryOf + oc.Name, Span{cleared, max(cleared, until)}, i, func(k measure.Key, _ []int32) bool {
			return k.Start >= cleared && k.Start < until
		}})
	}
	return out
}
