package words

import (
	"fmt"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// mostChanged bounds the objectives that a sentence on two runs names of each sort.
const mostChanged = 3

// Between says what differs most between the runs A and B: their verdicts, and the objectives that B broke or mended,
// such as "B passes, and A failed: errors < 1% holds now." An objective that is in A alone is named where it failed,
// as a run that no longer asks for it may pass for that.
func Between(a, b *result.Result) string {
	var out strings.Builder
	switch did := verdictVerb(a, true); {
	case a.Verdict == b.Verdict && a.Verdict == scenarios.Pass:
		out.WriteString("B passes, as A did")
	case a.Verdict == b.Verdict && a.Verdict == scenarios.Fail:
		out.WriteString("B fails, as A did")
	default:
		fmt.Fprintf(&out, "B %s, and A %s", verdictVerb(b, false), did)
	}
	if changed := objectivesBetween(a, b); len(changed) > 0 {
		out.WriteString(": " + strings.Join(changed, "; "))
	}
	return out.String() + "."
}

// verdictVerb returns what a run does, or did, by its verdict.
func verdictVerb(r *result.Result, past bool) string {
	v := r.Verdict
	switch {
	case r.Untried() != "":
		return pick(past, "was not judged", "is not judged")
	case v == scenarios.Pass:
		return pick(past, "passed", "passes")
	case v == scenarios.Fail:
		return pick(past, "failed", "fails")
	case v == scenarios.None, v == "":
		return pick(past, "had no verdict", "has no verdict")
	}
	return pick(past, "was ", "is ") + Verdict(v)
}

// objectivesBetween says which objectives B broke, left open and mended, and which of those that failed in A it lacks.
// Only an objective that A passed is broken, and only one that A failed is mended.
func objectivesBetween(a, b *result.Result) (list []string) {
	before := map[string]scenarios.Verdict{}
	for i := range a.Objectives {
		before[ObjectiveTitle(&a.Objectives[i])] = a.Objectives[i].Verdict
	}
	var broke, fails, asks, open, mended, holds, gone []string
	for i := range b.Objectives {
		o := &b.Objectives[i]
		title := ObjectiveTitle(o)
		was, known := before[title]
		delete(before, title)
		switch {
		case !known && o.Verdict == scenarios.Fail:
			asks = append(asks, title)
		case !known || was == o.Verdict:
		case o.Verdict == scenarios.Fail && was == scenarios.Pass:
			broke = append(broke, title)
		case o.Verdict == scenarios.Fail:
			fails = append(fails, title)
		case o.Verdict == scenarios.Pass && was == scenarios.Fail:
			mended = append(mended, title)
		case o.Verdict == scenarios.Pass:
			holds = append(holds, title)
		default:
			open = append(open, title)
		}
	}
	for i := range a.Objectives {
		if title := ObjectiveTitle(&a.Objectives[i]); before[title] == scenarios.Fail {
			gone = append(gone, title)
		}
	}
	say := func(titles []string, one, many string) {
		if n := len(titles); n > 0 {
			if n > mostChanged {
				titles = append(titles[:mostChanged:mostChanged], fmt.Sprintf("%d more", n-mostChanged))
			}
			list = append(list, Join(titles)+" "+pick(n > 1, many, one))
		}
	}
	say(broke, "is broken", "are broken")
	say(fails, "fails, and A could not tell", "fail, and A could not tell")
	say(asks, "fails, and A did not ask", "fail, and A did not ask")
	say(open, "is not certain", "are not certain")
	say(mended, "holds now", "hold now")
	say(holds, "holds, and A could not tell", "hold, and A could not tell")
	say(gone, "failed in A and is no objective of B", "failed in A and are no objectives of B")
	return list
}

// Sides counts the verdicts of the runs of both sides of a comparison, such as "The candidate: 3 runs passed. The base:
// 2 runs failed, 1 run passed."; empty if all runs of both have the same verdict.
func Sides(base, cand []*result.Result) string {
	count := func(list []*result.Result) (text string, verdicts map[string]int) {
		verdicts = map[string]int{}
		var order []string
		for _, r := range list {
			verb := verdictVerb(r, true)
			if verdicts[verb]++; verdicts[verb] == 1 {
				order = append(order, verb)
			}
		}
		var parts []string
		for _, verb := range order {
			n := verdicts[verb]
			if n > 1 {
				verb = strings.Replace(verb, "was ", "were ", 1)
			}
			parts = append(parts, syntax.Amount(n, "run")+" "+verb)
		}
		return strings.Join(parts, ", "), verdicts
	}
	was, before := count(base)
	is, now := count(cand)
	if len(before) < 2 && len(now) < 2 && len(base) > 0 && len(cand) > 0 &&
		base[0].VerdictWords() == cand[0].VerdictWords() {
		return ""
	}
	return "The candidate: " + is + ". The base: " + was + "."
}
