package words

import (
	"cmp"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

// Hypothesis returns the hypothesis of a run, preceded by the run's finding about it; empty if there is none.
func Hypothesis(r *result.Result) string {
	text := Clean(r.Hypothesis)
	if text == "" {
		return ""
	}
	found := "not decided"
	switch v := r.Verdict; {
	case v == scenarios.Running, v == scenarios.Pending:
		found = "under test"
	case (v == scenarios.Pass || v == scenarios.Fail) && uninjected(r):
		found = "not tested, as no fault was injected"
	case v == scenarios.Pass && untold(r) != "":
		found = "not refuted; " + untold(r)
	case v == scenarios.Pass:
		found = "held"
	case v == scenarios.Fail:
		found = cmp.Or(unfit(r), "refuted")
	}
	return "Hypothesis: " + found + ". " + syntax.Sentence(text)
}

// untold says which faults did not put the hypothesis to the test: not injected, shown only in part, or with an unknown
// effect; in which faults a step had an outage that no objective asks about; and which conditions were shown only in
// part. It is empty if all did.
func untold(r *result.Result) string {
	var missing, unknown, down []string
	part, slower := conditionsInPart(r), true
	for i := range r.Faults {
		switch f := &r.Faults[i]; {
		case !f.Injected.Known():
			missing = append(missing, quote(f.Name))
		case f.NotShown != "":
			part = append(part, quote(f.Name))
		case r.UnaskedOutage(f) != nil:
			out := r.UnaskedOutage(f)
			down = append(down, Clean(out.Phrase())+" during "+quote(f.Name)+", and no objective asks about "+Clean(out.Step))
		case notTold(f):
			unknown, slower = append(unknown, quote(f.Name)), slower && onlySlownessOpen(f)
		}
	}
	var said []string
	if len(missing) > 0 {
		said = append(said, Join(briefNames(missing))+pick(len(missing) > 1, " were", " was")+" not injected")
	}
	if len(part) > 0 {
		said = append(said, shownInPart(part))
	}
	if len(down) > 0 {
		text := down[0]
		if more := int64(len(down)) - 1; more > 0 {
			text += " (so it is with a step in " + Plural(more, "other fault", "other faults") + ")"
		}
		said = append(said, text)
	}
	if len(unknown) > 0 {
		said = append(said, notKnown(unknown, slower))
	}
	return strings.Join(said, "; ")
}

// unfit says that a run failed and did not refute its hypothesis: faults did no harm although they must, or the target
// was not well before them. It is empty if the run has another reason to fail.
func unfit(r *result.Result) string {
	var harmless, before []string
	for i := range r.Reasons {
		switch x := &r.Reasons[i]; {
		case x.Verdict != scenarios.Fail, x.Kind == result.NotHeld:
		case x.Kind == result.NoImpact:
			harmless = append(harmless, quote(x.Fault))
		case x.Kind == result.UnsteadyBefore:
			before = append(before, quote(x.Fault))
		default:
			return ""
		}
	}
	faults := len(harmless) + len(before)
	for i := range r.Objectives {
		switch o := &r.Objectives[i]; {
		case !failedByValue(o):
		case o.Phase.Kind != slo.BaselinePhase, len(r.Faults) == 0, len(conditionsIn(r)) > 0: // conditions are in before
			return ""
		default:
			before, faults = []string{"the first fault"}, len(r.Faults)
		}
	}
	var said []string
	if len(harmless) > 0 {
		said = append(said, "no impact of "+Join(briefNames(harmless))+" was seen")
	}
	if len(before) > 0 {
		said = append(said, "the target was not well before "+Join(briefNames(before)))
	}
	if len(said) == 0 {
		return ""
	}
	return pick(faults < len(r.Faults), "not refuted; ", "not tested, as ") + Join(said)
}

// notTold reports whether what a fault did is not known.
func notTold(f *result.FaultRecord) bool {
	return f.Impact != result.Impacted && f.Impact != result.NotRecovered &&
		(f.Impact != result.NotImpacted || f.TooFew() || mayBeSlower(f))
}

// shownInPart says that the effect of faults on their units was shown only in part.
func shownInPart(names []string) string {
	return "the effect of " + Join(briefNames(names)) + " on the target was shown only in part"
}

// briefNames shortens a list of more than three faults.
func briefNames(names []string) []string {
	if left := len(names) - 2; left > 1 {
		return append(names[:2], Plural(int64(left), "other fault", "other faults"))
	}
	return names
}

// uninjected reports whether a run planned to break something and broke nothing.
func uninjected(r *result.Result) bool {
	planned := len(r.Faults) > 0 || len(r.Reasons) > 0 && r.Reasons[0].Refused()
	return r.Control || planned && len(conditionsIn(r)) == 0 &&
		!slices.ContainsFunc(r.Faults, func(f result.FaultRecord) bool { return f.Injected.Known() })
}

// conditionsInPart names the conditions of a run whose effect on the target was shown only in part.
func conditionsInPart(r *result.Result) (names []string) {
	for i := range r.Conditions {
		if c := &r.Conditions[i]; c.Evidence != "" && c.NotShown != "" {
			names = append(names, quote(c.Name))
		}
	}
	return names
}

// conditionsIn names the conditions of a run that are shown to have been in. They were in for the whole load.
func conditionsIn(r *result.Result) (names []string) {
	for i := range r.Conditions {
		if c := &r.Conditions[i]; c.Evidence != "" {
			names = append(names, c.Name)
		}
	}
	return names
}
