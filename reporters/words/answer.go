package words

import (
	"fmt"
	"math"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// Answer says in one sentence whether to ship and why, for readers who read no further: the same in the terminal, on
// the page, in Markdown and in JUnit. Where the reason of the run says it best, the reason follows the sentence.
func Answer(r *result.Result) string {
	then := ""
	if r.Reason != "" {
		then = " " + Clean(r.Reason)
	}
	switch r.Verdict {
	case scenarios.Pass:
		return answerOnPass(r)
	case scenarios.None:
		if r.ExitCode != scenarios.ExitPass {
			return "Don't ship by this run." + then
		}
		return "Nothing to decide by." + then
	case scenarios.Fail:
		if missed := missedObjectives(r); missed != "" {
			return "Don't ship: " + missed + "."
		}
		return "Don't ship." + then
	case scenarios.Inconclusive, scenarios.Interrupted, scenarios.Broken:
		return "Not decided." + then
	case scenarios.Invalid:
		return "Don't decide by this run." + then
	case scenarios.Stopped, scenarios.Regression:
		return "Don't ship." + then
	case scenarios.NotReverted:
		return "Don't ship, and look at the target first." + then
	}
	return Clean(r.Reason)
}

func answerOnPass(r *result.Result) string {
	held := "all " + Plural(int64(len(r.Objectives)), "objective", "objectives") + " held"
	if len(r.Objectives) == 1 {
		held = "the objective held"
	}
	switch {
	case r.Control:
		return Capitalize(held) + ", but in this control run nothing was broken, so that it says little about failures."
	case r.Imported != "":
		return "Ship, as far as the imported requests go: " + held + "."
	}
	return "Ship: " + held + faultsOutcome(r) + lostWrites(r) + "."
}

// lostWrites says that acknowledged writes were lost; empty if none were.
func lostWrites(r *result.Result) string {
	n := int64(0)
	for _, l := range r.AllLedgers() {
		n += l.Lost
	}
	if n == 0 {
		return ""
	}
	lost := Plural(n, "acknowledged write was lost", "acknowledged writes were lost")
	for i := range r.Objectives {
		if o, ok := r.Objectives[i].Asks(); ok && o.Metric.Row().OfLosses {
			return ", though " + lost + ", as an objective allows"
		}
	}
	return ", yet " + lost + ", which no objective asks about"
}

// faultsOutcome says how the target withstood its faults.
func faultsOutcome(r *result.Result) string {
	var in, recovered, harmless, slight, lasting, lossy int64
	broken := ""
	slowest, rejoining := result.Num(0), result.Num(0)
	for i := range r.Faults {
		f := &r.Faults[i]
		if !f.Injected.Known() {
			continue
		}
		in++
		switch {
		case OnlySlower(f):
			harmless++
			slight++
		case f.NoOutage(): // the fault lost writes, and there was nothing to recover from
			lossy++
		case f.Impact == result.Impacted:
			recovered++
			took := f.Recover
			if cost, rejoined := f.Rejoined(); rejoined && cost.Known() {
				rejoining = max(rejoining, cost)
				if took = f.Back; took == 0 { // all of its harm
					took = cost
				}
			}
			if took.Known() {
				slowest = max(slowest, took)
			}
		case f.Impact == result.NotImpacted:
			if tooFew(f) || mayBeSlower(f) {
				break // not known
			}
			harmless++
			if p := f.Parts; p != nil && p.Bad() > 0 {
				slight++
			}
		case f.Impact == result.NotRecovered:
			if lasting++; lasting == 1 {
				broken = quote(f.Name)
			}
		}
	}
	in -= lossy
	rejoined := ""
	if rejoining > 0 {
		rejoined = "; rejoining cost " + Seconds(rejoining)
		if recovered > 1 {
			rejoined = "; rejoining cost up to " + Seconds(rejoining)
		}
	}
	other := ""
	if lossy > 0 {
		other = "other "
	}
	faults := Plural(in, other+"fault", other+"faults")
	switch {
	case in == 0:
		return ""
	case lasting > 0:
		if lasting > 1 {
			broken += " and " + Plural(lasting-1, "fault more", "faults more")
		}
		return ", yet the target did not recover from " + broken + ", which no objective asks it to"
	case slight == 1 && in == 1:
		return ", and the share of bad requests stayed within the limit during the " + other +
			"fault, though it made requests slower or fail"
	case harmless == in && slight > 0:
		return ", and the share of bad requests stayed within the limit during " + faults +
			", though " + Plural(slight, "of them", "of them") + " made requests slower or fail"
	case harmless == in && in == 1:
		return ", and the " + other + "fault did no harm that could be seen"
	case harmless == in:
		return ", and none of " + faults + " did harm that could be seen"
	case recovered+harmless < in:
		return ", though what " + Plural(in-recovered-harmless, "fault", "faults") + " did is not known"
	case in == 1:
		return ", and the target recovered from the " + other + "fault in " + Seconds(slowest) + rejoined
	case harmless == 0:
		return ", and the target recovered from " + faults + ", the slowest time in " + Seconds(slowest) + rejoined
	}
	var mild []string
	if n := harmless - slight; n > 0 {
		mild = append(mild, fmt.Sprintf("%d had no effect seen", n))
	}
	if slight > 0 {
		mild = append(mild, fmt.Sprintf("%d stayed within the limit", slight))
	}
	return fmt.Sprintf(", and of %s %s and the target recovered from %d, the slowest time in %s%s",
		faults, strings.Join(mild, ", "), recovered, Seconds(slowest), rejoined)
}

// missedObjectives names the failed objective that tells an outsider most: the steady state first, else the one missed
// by most. It is empty where the run failed for another reason.
func missedObjectives(r *result.Result) string {
	if len(r.Reasons) > 0 && r.Reasons[0].Kind != result.NotHeld {
		return ""
	}
	var worst *result.ObjectiveResult
	by, unheld := 0.0, 0
	for i := range r.Objectives {
		o := &r.Objectives[i]
		switch o.Verdict {
		case scenarios.Inconclusive, scenarios.Invalid:
			unheld++
			continue
		case scenarios.Fail:
			unheld++
		default:
			continue
		}
		u, ok := LimitUsed(o, o.Measured)
		if !ok {
			u = 1
		}
		if o.List == "steady" {
			u = math.Inf(1)
		}
		if worst == nil || u > by {
			worst, by = o, u
		}
	}
	if worst == nil {
		return ""
	}
	s := missedObjective(worst)
	if said, of := rejoinedIn(r, worst); of {
		s += ": " + said
	}
	if worst.List == "steady" {
		s = "the target was not well before anything was broken: " + s
	}
	if unheld > 1 {
		s += "; " + r.HowMany(scenarios.Fail)
	}
	return s
}

// rejoinedIn says what the end of the fault cost whose time to recovery an objective asks about.
func rejoinedIn(r *result.Result, o *result.ObjectiveResult) (said string, ok bool) {
	if def, asked := o.Asks(); !asked || !def.Metric.OfFault() || !def.Metric.Row().Recovers {
		return "", false
	}
	for i := range r.Faults {
		if f := &r.Faults[i]; f.Phase() == o.Phase {
			return rejoinText(f)
		}
	}
	return "", false
}

// missedObjective says what an objective required and what was measured.
func missedObjective(o *result.ObjectiveResult) string {
	def, ok := o.Asks()
	if !ok || !o.Target.Known() {
		return Clip(Clean(o.Text), 100) + " did not hold"
	}
	got := ObjectiveMeasured(o)
	missed := def.Metric.Row().Missed
	if missed == nil {
		return Clip(Clean(o.Text), 100) + " did not hold: it was " + got
	}
	of := ""
	if def.Step != "" {
		of = " of " + quote(def.Step)
	} else if def.Load != "" {
		of = " of the load " + quote(def.Load)
	}
	when := during(o, def)
	if def.Relative() {
		def.Value = float64(o.Target)
	}
	return missed(slo.Miss{
		Objective: def,
		Got:       got, Asked: bound(def), Limit: limit(def), Requests: "requests" + of + when, Of: of, During: when,
		Fault: quote(def.After.String()),
		Share: Percent(def.Metric.Quantile), Span: Seconds(result.Sec(def.Metric.Span)),
		Endless: !o.Measured.Known(),
	})
}

// during names the phase of an objective, unless it is the whole run.
func during(o *result.ObjectiveResult, def slo.Objective) string {
	switch o.Phase.Kind {
	case slo.NoPhase, slo.RunPhase:
		return ""
	case slo.BaselinePhase:
		return " before anything was broken"
	case slo.RecoveryPhase:
		return " after " + quote(o.Phase.Of(slo.FaultPhase).String())
	}
	if def.Phase != (slo.Phase{}) {
		return " during " + quote(o.Phase.String())
	}
	return ""
}

// quote formats a name of the scenario for a sentence.
func quote(name string) string {
	name = Clip(Clean(name), 60)
	if strings.ContainsAny(name, " \"") {
		return "“" + name + "”"
	}
	return name
}

// limit returns the bound of an objective without its operator.
func limit(o slo.Objective) string { return o.Metric.FormatValue(o.Value) }

// bound returns the bound of an objective in
func bound(o slo.Objective) string {
	if o.Value == 0 && (o.Op == "=" || o.Op == "<=") {
		return "none"
	}
	return map[string]string{
		"<": "less than ", "<=": "at most ", ">": "more than ", ">=": "at least ", "=": "just ",
	}[o.Op] + limit(o)
}
