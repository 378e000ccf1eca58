package measure

import (
	"math"
	"slices"
	"time"

	"brunt/scenarios"
)

// Span is a stretch of time; To is its end.
type Span struct{ From, To time.Duration }

func (s Span) length() time.Duration { return max(0, s.To-s.From) }

// overlap is the length of what two spans share.
func (s Span) overlap(t Span) time.Duration {
	return max(0, min(s.To, t.To)-max(s.From, t.From))
}

// phase is a stretch of the run that cells are summed for.
type phase struct {
	name string
	Span
	has func(k key, set []int32) bool
}

// phases lists the phases of a run: warm-up, run, baseline, and for each
// occurrence of a fault the phase itself and its recovery.
func (r *Recorder) phases(warmup time.Duration, end time.Duration, answers []Answer) []phase {
	out := []phase{}
	if warmup > 0 {
		out = append(out, phase{"warmup", Span{-warmup, 0}, func(k key, _ []int32) bool { return k.start < 0 }})
	}
	out = append(out, phase{"run", Span{0, end}, func(k key, _ []int32) bool { return k.start >= 0 }})
	first := min(end, r.firstInjection())
	out = append(out, phase{"baseline", Span{0, first}, func(k key, set []int32) bool {
		return k.start >= 0 && k.start < first && len(set) == 0
	}})
	for i, f := range r.faults {
		if f.Name == "" {
			continue
		}
		cleared := f.Cleared
		if !f.Over {
			cleared = end
		}
		out = append(out, phase{f.Name, Span{f.Injected, cleared}, func(_ key, set []int32) bool {
			return slices.Contains(set, int32(i))
		}})
		until := end
		if i < len(answers) && answers[i].RecoveredAt.Known() && answers[i].Impact != scenarios.UnknownYet {
			until = time.Duration(math.Round(float64(answers[i].RecoveredAt) * 1e9))
		}
		out = append(out, phase{"recovery/" + f.Name, Span{cleared, max(cleared, until)}, func(k key, _ []int32) bool {
			return k.start >= cleared && k.start < until
		}})
	}
	return out
}
