package words

import (
	"fmt"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/result/search"
	"brunt/scenarios/syntax"
)

// ToleranceInterval says where the answer of a target changes: survives 210ms, fails from 230ms.
func ToleranceInterval(t *search.Tolerance) string {
	say := t.Setting.Unit.Format
	high := float64(t.High)
	switch {
	case t.Below == "":
		return "not found"
	case !t.High.Known() && t.Below == search.Holds:
		return fmt.Sprintf("survives up to %s, the largest tried", say(t.Low))
	case !t.High.Known():
		return fmt.Sprintf("fails up to %s, the largest tried", say(t.Low))
	case t.Below == search.Breaks:
		return fmt.Sprintf("fails up to %s, survives from %s", say(t.Low), say(high))
	case t.Low == 0:
		return fmt.Sprintf("fails from %s; no smaller dose was seen to be survived", say(high))
	}
	return fmt.Sprintf("survives %s, fails from %s", say(t.Low), say(high))
}

// ToleranceSentence is [ToleranceAnswer] with the name of the setting.
func ToleranceSentence(t *search.Tolerance) string {
	return Clean(t.Setting.Name()) + ": " + ToleranceAnswer(t)
}

// ToleranceAnswer is the answer in one sentence, with the objective that failed first and the confidence.
func ToleranceAnswer(t *search.Tolerance) string {
	s := ToleranceInterval(t)
	if t.Objective != "" {
		s += " (" + Clean(t.Objective) + ")"
	}
	switch {
	case t.Below == "" && t.Partial:
		s += ": the search ended early"
	case t.Below == "":
	case t.Confidence > 0:
		s += fmt.Sprintf(", with %s confidence", quantity.FormatShare(t.Confidence))
	case t.Partial:
		s += ", not confirmed: the search ended early"
	default:
		s += ", not confirmed: probes of one dose contradicted each other"
	}
	return s
}

// ToleranceDetails returns what the answer leaves out, in sentences: further changes, further objectives, and limits of
// brunt.
func ToleranceDetails(t *search.Tolerance) (out []string) {
	say := t.Setting.Unit.Format
	verbs := map[search.Answer]string{search.Holds: "survives", search.Breaks: "fails"}
	for i, c := range t.Changes {
		if i == 0 && t.High.Known() && float64(t.High) == c.To {
			continue
		}
		again := " again"
		if t.Below == "" { // the search ended early
			again = ""
		}
		out = append(out, fmt.Sprintf("Between %s and %s it changes%s: it %s %s.", say(c.From), say(c.To), again,
			verbs[c.Then], say(c.To)))
	}
	others := slices.DeleteFunc(slices.Clone(t.Objectives), func(o string) bool { return o == t.Objective })
	if len(others) > 0 {
		out = append(out, "These fail as well: "+strings.Join(clean(others), "; ")+".")
	}
	if t.Why != "" {
		at := t.Low
		if t.Above == search.Breaks {
			at = float64(t.High)
		}
		out = append(out, fmt.Sprintf("At %s: %s.", say(at), Clean(t.Why)))
	}
	var limited []string
	for _, d := range t.Doses {
		if d.Answer == search.Limited {
			limited = append(limited, say(d.Dose))
		}
	}
	if len(limited) > 0 {
		out = append(out, fmt.Sprintf("Nothing is known of %s: the generator was the limit there, not the target.",
			strings.Join(limited, ", ")))
	}
	if a := t.Against; a != nil {
		was, commit := toleranceBefore(t), ""
		if a.Commit != "" {
			commit = " (" + Clean(a.Commit) + ")"
		}
		out = append(out, fmt.Sprintf("%s: the search of %s%s found %s.",
			strings.TrimSuffix(syntax.Sentence(string(a.Verdict)), "."), Clean(a.Started), commit, was))
	}
	return out
}

// toleranceBefore says what the search found that t was compared with.
func toleranceBefore(t *search.Tolerance) string {
	say := t.Setting.Unit.Format
	if t.Against.High > 0 {
		return "the change between " + say(t.Against.Low) + " and " + say(t.Against.High)
	}
	return "no change up to " + say(t.Against.Low)
}

// JudgedTolerance is a tolerance as a metric of a decision: what the search of the base found, and what this one did.
// Base names the base in the sentence, such as before. Note says why the tolerance decides nothing; empty means that it
// decides.
func JudgedTolerance(t *search.Tolerance, base, note string) result.Judged {
	j := result.Judged{
		Name: t.Figure(), Verdict: scenarios.None, Base: "–", Now: ToleranceInterval(t), Note: note,
		Worse: result.NaN, AtLeast: result.NaN, AtMost: result.NaN, Limit: result.NaN,
	}
	j.Sentence = ToleranceSentence(t)
	if t.Against == nil {
		return j
	}
	j.Base = toleranceBefore(t)
	j.Sentence = fmt.Sprintf("%s; %s, %s", j.Sentence, base, j.Base)
	switch {
	case note != "":
	case t.Against.Verdict == scenarios.Regression:
		j.Verdict, j.Change = scenarios.Fail, "tolerates less"
	default:
		j.Verdict = t.Against.Verdict
	}
	return j
}

// TolerancePoint formats the figures of a dose: p95, good answers and failed requests.
func TolerancePoint(p *search.CurvePoint) (p95, good, failed string) {
	rate := func(f float64) string { return fmt.Sprintf("%.4g/s", f) }
	return Known(p.P95, quantity.FormatSeconds), Known(p.Good, rate), Known(p.Failed, Percent)
}
