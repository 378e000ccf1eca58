package words

import (
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A slowing says how much slower good answers were in a fault. Where some steps were slower and others not clearly so,
// it is about the step that was slowed most: a percentile of all together fits none of them.
type slowing struct {
	step        string // empty for all steps
	percentile  string // p50, or p95 if that alone changed
	before, now result.Num
	others      string // how the other steps were, such as local not clearly slower; empty for all steps
}

const (
	leastSlowed  = 1.5 // a percentile so many times as long is slower
	leastAnswers = 20  // a percentile of fewer answers of a step tells nothing
)

func (s slowing) times() float64 { return float64(s.now / s.before) }

// by says how much slower, such as 21x slower at p50.
func (s slowing) by() string {
	if s.before > 0 && s.times() >= leastSlowed {
		return briefly(s.times()) + "x slower at " + s.percentile
	}
	return "slower"
}

// outcome is by with the step.
func (s slowing) outcome() string {
	if s.step == "" {
		return s.by()
	}
	return s.step + " " + s.by()
}

// clause is by with the answers that are meant, joined by a verb or a blank.
func (s slowing) clause(verb string) string {
	if s.step == "" {
		return "answers" + verb + s.by()
	}
	return "answers of " + s.step + verb + s.by()
}

func slowingFrom(p50Before, p50, p95Before, p95 result.Num) slowing {
	if p50Before > 0 && p50 >= p50Before*leastSlowed {
		return slowing{percentile: "p50", before: p50Before, now: p50}
	}
	return slowing{percentile: "p95", before: p95Before, now: p95}
}

func slowingOf(r *result.Result, f *result.FaultRecord) slowing {
	all := slowingFrom(f.Parts.P50Before, f.Parts.P50, f.Parts.P95Before, f.Parts.P95)
	var most slowing
	var same []string
	slower, before := 0, StepRows(r, slo.Phase{Kind: slo.BaselinePhase})
	for _, now := range StepRows(r, f.Phase()) {
		for i := range before {
			a, b := &before[i].Ok, &now.Ok
			if a.Load != b.Load || a.Step != b.Step || a.Count < leastAnswers || b.Count < leastAnswers {
				continue
			}
			s := slowingFrom(a.Response.P50, b.Response.P50, a.Response.P95, b.Response.P95)
			if s.step = now.Step(len(r.Loads)); !(s.times() >= leastSlowed) {
				same = append(same, s.step)
				continue
			}
			if slower++; slower == 1 || s.times() > most.times() {
				most = s
			}
		}
	}
	if slower == 0 || len(same) == 0 {
		return all
	}
	if slower > 1 {
		most.others = Plural(int64(slower-1), "other step", "other steps") + " slower too; "
	}
	if len(same) > 2 {
		same = []string{Plural(int64(len(same)), "step", "steps")}
	}
	most.others += Join(same) + " not clearly slower"
	return most
}

func slowerText(r *result.Result, f *result.FaultRecord) string {
	s := slowingOf(r, f)
	text := s.percentile + " " + Seconds(s.before) + " → " + Seconds(s.now)
	if s.others != "" {
		text += "; " + s.others
	}
	if f.Parts.Bad() == 0 {
		return text + "; no request failed" + alsoShed(f.Parts, "")
	}
	text += "; " + badKinds(f.Parts)
	if out := stepOutage(f); out != nil {
		text += "; " + Clean(out.Phrase())
	}
	return text + alsoShed(f.Parts, "")
}
