package words

import (
	"cmp"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// worstSlowdown returns the slowdown without a fault that cost most time; nil if there was none.
func worstSlowdown(r *result.Result) *result.Slowdown {
	var worst *result.Slowdown
	cost := func(s *result.Slowdown) result.Num { return (s.P50 - s.Usual) * result.Num(s.Requests) }
	for i := range r.Slowdowns {
		s := &r.Slowdowns[i]
		if s.Usual > 0 && s.P50 > s.Usual && (worst == nil || cost(s) > cost(worst)) {
			worst = s
		}
	}
	return worst
}

// slowdown says when the target was slower although no fault was in, or none but conditions, where that may be why the
// run failed.
func (f *findings) slowdown() Text {
	s := worstSlowdown(f.r)
	if s == nil || !slownessDecides(f.r) || f.overloadedFrom(s.From) {
		return nil
	}
	t := Text{}.say(Offset(s.From) + ": for ").strong(Seconds(s.To - s.From)).
		say(" half of the requests took " + Seconds(s.P50) + " or more, " + slowdownBy(s) + "; ").strong(wasIn(f.r, s.From))
	if n := len(f.r.Slowdowns) - 1; n > 0 {
		t = t.say("; " + Plural(int64(n), "more such span", "more such spans"))
	}
	return t.say(".")
}

// slownessDecides reports whether slow answers may be why a run failed: an objective failed that counts them in no
// recovery, or no objective is the reason, and requests may explain it.
func slownessDecides(r *result.Result) bool {
	why := otherReason(r)
	return why != nil && mayExplain(r, nil, why) ||
		slices.ContainsFunc(r.Objectives, func(o result.ObjectiveResult) bool {
			return failedByValue(&o) && countsSlow(&o) && !o.Of().Row().Recovers
		})
}

// slowdownBy says how much longer requests took than before and after a slowdown.
func slowdownBy(s *result.Slowdown) string {
	return briefly(float64(s.P50/s.Usual)) + "x the usual " + Seconds(s.Usual)
}

// slowdownOnPass adds a slowdown without a fault to the sentence of a run that passed; empty without.
func slowdownOnPass(r *result.Result) string {
	s := worstSlowdown(r)
	if s == nil || r.Verdict != scenarios.Pass {
		return ""
	}
	text := "; from " + Offset(s.From) + " to " + Offset(s.To) + " answers took " + slowdownBy(s) + ", "
	if down := unitsDown(r, s.From); down != "" {
		text += "while " + down
	} else {
		text += "with " + noFault(r) + " in"
	}
	if n := len(r.Slowdowns) - 1; n > 0 {
		text += ", and " + Plural(int64(n), "more such span", "more such spans")
	}
	return text
}

// SlowdownLabel says in a few words how long a slowdown lasted, and that no fault was in, or whose units were down.
func SlowdownLabel(r *result.Result, s *result.Slowdown) string {
	return Seconds(s.To-s.From) + ", " + briefly(float64(s.P50/s.Usual)) + "x slower at p50, " +
		cmp.Or(unitsDown(r, s.From), noFault(r))
}
