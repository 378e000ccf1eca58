package words

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// objectiveLines returns a row for each objective: those that failed first, then those that are open, then those that
// held, each in the order of the scenario.
func objectiveLines(r *result.Result) (title string, list []ObjectiveLine) {
	count := map[string]int{}
	for i := range r.Objectives {
		l := objectiveLine(&r.Objectives[i])
		l.Index = i
		count[l.Word]++
		list = append(list, l)
	}
	rank := map[string]int{wordFailed: 0, wordOpen: 1, wordNotJudged: 2}
	place := func(l ObjectiveLine) int {
		if at, ok := rank[l.Word]; ok {
			return at
		}
		return len(rank)
	}
	slices.SortStableFunc(list, func(a, b ObjectiveLine) int { return cmp.Compare(place(a), place(b)) })
	var parts []string
	for _, word := range []string{wordFailed, wordOpen, wordNotJudged, wordHeld, wordPending} {
		if n := count[word]; n > 0 {
			parts = append(parts, Int(int64(n))+" "+word)
		}
	}
	switch {
	case len(list) == 0:
		return "Objectives: none", nil
	case len(parts) == 1 && len(list) > 1 && count[wordHeld] > 0:
		return "Objectives: all " + Int(int64(len(list))) + " held", list
	}
	return "Objectives: " + strings.Join(parts, ", "), list
}

// The words of an objective's verdict.
const (
	wordHeld      = "held"
	wordFailed    = "failed"
	wordOpen      = "not certain"
	wordNotJudged = "not judged"
	wordPending   = "not yet known"
)

func objectiveLine(o *result.ObjectiveResult) ObjectiveLine {
	l := ObjectiveLine{
		Verdict: o.Verdict, Mark: Mark(o.Verdict), Tone: Tone(o.Verdict), Title: ObjectiveTitle(o),
		Value: ObjectiveMeasured(o), Margin: MarginOf(o), Note: ObjectiveNote(o), Sure: ObjectiveBounds(o),
	}
	if p := ObjectivePhase(o); p != "" {
		l.Title += ", in " + p
	}
	switch o.Verdict {
	case scenarios.Pass:
		l.Word = wordHeld
	case scenarios.Fail:
		l.Word = wordFailed
	case scenarios.Pending, scenarios.Running:
		l.Word = wordPending
	case scenarios.Invalid:
		if l.Word = wordNotJudged; o.Why == result.Late {
			l.Word = wordOpen
		}
	default:
		if l.Word = wordOpen; o.Why == result.Absent {
			l.Word = wordNotJudged
		}
	}
	switch l.Margin.Kind {
	case MarginNoOutage:
		l.Value, l.Note = "no outage", ""
		if o.Because.Has(result.IncidentNone) { // one that no fault did may have been
			l.Value = "no outage of a fault"
		}
	case MarginOver:
		l.Note = shortNote(o, l.Note)
	}
	return l
}

// shortNote leaves out a note that only explains the sign of an infinite value, which the margin says.
func shortNote(o *result.ObjectiveResult, note string) string {
	if o.Note == "" {
		return ""
	}
	return note
}

// MarginOf returns how far an objective's value is from its limit.
func MarginOf(o *result.ObjectiveResult) Margin {
	m := Margin{Figure: result.NaN}
	switch o.Verdict {
	case scenarios.Pass, scenarios.Fail:
	case scenarios.Pending, scenarios.Running:
		return m
	default:
		m.Kind, m.Text = MarginOpen, "? "+wordOpen
		if o.Verdict == scenarios.Invalid && o.Why != result.Late || o.Why == result.Absent {
			m.Text = "? " + wordNotJudged
		}
		return m
	}
	if noOutage(o) {
		m.Kind = MarginNoOutage
		return m
	}
	u, ok := LimitUsed(o, o.Measured)
	never := neverGood(o)
	switch {
	case o.Verdict == scenarios.Fail && never != "":
		m.Kind, m.Figure, m.Text = MarginOver, result.Num(math.Inf(1)), never
	case o.Verdict == scenarios.Fail && o.Infinite && o.Of().Latency():
		m.Kind, m.Figure, m.Text = MarginOver, result.Num(math.Inf(1)), "too many failed"
	case o.Verdict == scenarios.Fail && (math.IsInf(u, 1) || !o.Measured.Known() || !failedByValue(o)):
		m.Kind = MarginOver
	case !ok && o.Verdict == scenarios.Fail && o.Target == 0 && !strings.HasPrefix(o.Op, ">"):
		m.Kind, m.Figure, m.Text = MarginOver, result.Num(math.Inf(1)), "none may"
	case !ok:
	case o.Verdict == scenarios.Fail:
		m.Kind, m.Figure, m.Text = MarginOver, result.Num(u), overText(o.Op, o.Of(), float64(o.Target), u)
	case u <= 1:
		m.Kind, m.Figure, m.Text = MarginLeft, result.Num(1-u), wholePercent(1-u)+" left"
	}
	return m
}

// overText says by how much a limit is exceeded: as a multiple of the limit, or of what a share may lack.
func overText(op string, m slo.Metric, target, u float64) string {
	high := strings.HasPrefix(op, ">")
	switch {
	case high && m.Unit != slo.ShareOf: // too little of it
		return wholePercent(1-1/u) + " short"
	case high:
		return times(u, "the "+m.FormatValue(1-target)+" allowed")
	}
	return times(u, "the limit")
}

// times formats a multiple of a limit, such as 3.7x the limit. Every report says in this form how far a limit is
// exceeded, so that a reader compares one figure with another.
func times(u float64, limit string) string {
	switch {
	case u <= 1:
		return "at the limit"
	case u < 1.005:
		return "just over the limit"
	case u < 1.05:
		return Number(math.Round(u*100)/100) + "x " + limit
	}
	return briefly(u) + "x " + limit
}

// briefly formats a multiple with two figures.
func briefly(u float64) string {
	if u >= 9.95 {
		return Count(int64(math.Round(u)))
	}
	return Number(math.Round(u*10) / 10)
}

// wholePercent formats a share in whole percent. Only an exact 0 or 1 gives 0% or 100%.
func wholePercent(f float64) string {
	switch n := math.Round(100 * f); {
	case n <= 0 && f > 0:
		return "< 1%"
	case n >= 100 && f < 1:
		return "> 99%"
	default:
		return Int(int64(n)) + "%"
	}
}

// noOutage reports whether an objective on a recovery held because the fault did no harm to recover from.
func noOutage(o *result.ObjectiveResult) bool {
	if !o.Of().Row().Recovers && !o.Of().Row().UntilGood {
		return false
	}
	return o.Verdict == scenarios.Pass && o.Because.Has(result.WithinLimit, result.IncidentNone)
}

// neverGood says how long an objective on a recovery took at least that failed without a time, or that the load was not
// good again while the fault was in; empty for another objective.
func neverGood(o *result.ObjectiveResult) string {
	if o.Measured.Known() || !o.Of().Row().Recovers && !o.Of().Row().UntilGood {
		return ""
	}
	for _, n := range o.Because {
		switch n.Kind {
		case result.FailoverNone:
			return "not while it was in"
		case result.FailoverUntold, result.EndBeforeHold:
			return "over " + Seconds(o.Low)
		case result.RecoveryNone, result.IncidentOpen:
			if n.For > 0 { // at least: an incident may be over, and the hold after it too short to prove recovery
				return "over " + Seconds(n.For)
			}
			return "not good by the end"
		}
	}
	return ""
}
