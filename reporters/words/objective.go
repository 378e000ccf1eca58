package words

import (
	"math"
	"strings"

	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

func formatMetric(m slo.Metric, n result.Num) string { return m.FormatValue(float64(n)) }

// ObjectiveMeasured formats the measured value; ∞ if more requests failed than a percentile
// allows, or recovery never came.
func ObjectiveMeasured(o *result.ObjectiveResult) string {
	switch {
	case o.Measured.Known():
		return formatMetric(o.Of(), o.Measured)
	case o.Infinite:
		if unrecovered(o) {
			return "> " + formatMetric(o.Of(), o.Low)
		}
		return "∞"
	}
	return "–"
}

// unrecovered reports whether an objective on a recovery failed because no recovery was seen for as long as Low says.
func unrecovered(o *result.ObjectiveResult) bool {
	return o.Infinite && o.Low.Known() && o.Of().Row().Recovers
}

// ObjectiveTarget formats the bound with its operator.
func ObjectiveTarget(o *result.ObjectiveResult) string {
	if !o.Target.Known() {
		return "–"
	}
	of := ""
	if r := o.Reference; r != nil {
		of = " (" + Percent(float64(r.Factor)) + " of " + Clean(r.Of) + ")"
	}
	return Clean(o.Op) + " " + formatMetric(o.Of(), o.Target) + of
}

// ObjectiveBounds describes how far the true value may lie from the measured one: the bound that a pass needs within
// the objective, and the spread between the seconds of the phase. For times of a fault it describes the moments
// between which the true value lies. It is empty if nothing is known.
func ObjectiveBounds(o *result.ObjectiveResult) string {
	var out []string
	if o.Bound != nil {
		most := "at most "
		if o.Of().Row().Better == slo.HigherIsBetter {
			most = "at least "
		}
		out = append(out, most+formatMetric(o.Of(), *o.Bound)+" (95% sure)")
	}
	switch kind, low, high := interval(o); kind {
	case spread:
		out = append(out, "a repeat may give "+low+" to "+high)
	case between:
		out = append(out, "between "+low+" and "+high)
	}
	return strings.Join(out, "; ")
}

// An intervalKind is the meaning of the interval of an objective.
type intervalKind int

const (
	noInterval intervalKind = iota
	spread                  // how much seconds differ
	between                 // the value lies within it
)

// interval returns the interval of an objective; low and high are its ends.
func interval(o *result.ObjectiveResult) (kind intervalKind, low, high string) {
	if !o.Low.Known() || unrecovered(o) {
		return noInterval, "", ""
	}
	m := o.Of()
	if low, high = formatMetric(m, o.Low), "∞"; o.High.Known() {
		high = formatMetric(m, o.High)
	}
	switch {
	case low == high:
		kind = noInterval
	case m.Latency() || m.Unit == slo.ShareOf:
		kind = spread
	default:
		kind = between
	}
	return kind, low, high
}

// BoundsMeaning explains the words of [ObjectiveBounds] that a list of objectives uses.
func BoundsMeaning(list []result.ObjectiveResult) string {
	var bound, percentile bool
	seen := map[intervalKind]bool{}
	for i := range list {
		m := list[i].Of()
		percentile = percentile || m.Percentile() && m.Of == ""
		bound = bound || list[i].Bound != nil
		kind, _, _ := interval(&list[i])
		seen[kind] = true
	}
	var out []string
	if bound {
		out = append(out, "At most, at least: the bound that the requests of the phase show of the share, exactly and with "+
			"95% confidence; a pass needs it within the objective.")
	}
	if seen[spread] {
		out = append(out, "A repeat may give: the spread between seconds, as a 95% interval.")
	}
	if seen[between] {
		out = append(out, "Between: the true value lies there, as requests tell it no closer; a pass needs both ends "+
			"within the objective.")
	}
	if percentile {
		out = append(out, "Percentiles are over all requests here, each failed one slower than any answer.")
	}
	return strings.Join(out, " ")
}

// ObjectiveNote returns the note of an objective; without one, it explains ∞.
func ObjectiveNote(o *result.ObjectiveResult) string {
	if o.Note != "" {
		return Clean(o.Note)
	}
	if o.Infinite && o.Of().Latency() {
		return "more requests failed than it allows"
	}
	return ""
}

// ObjectivePhase returns the phase of an objective if its text does not name it, for example the worst occurrence of
// a fault; else it is empty.
func ObjectivePhase(o *result.ObjectiveResult) string {
	asked, ok := o.Asks()
	if o.Phase == (slo.Phase{}) || o.Phase.Kind == slo.RunPhase || ok && o.Phase == asked.PhaseOrRun() {
		return ""
	}
	return Clean(o.Phase.String())
}

// ObjectiveTitle returns the title of an objective: its text, after its own name if it has one.
func ObjectiveTitle(o *result.ObjectiveResult) string {
	text := Clean(o.Text)
	if o.ID != "" && o.ID != o.Text {
		text = Clean(o.ID) + ": " + text
	}
	if o.List == "steady" {
		text = "steady: " + text
	}
	return text
}

// LimitUsed returns the used part of an objective's limit: 1 is the limit, more is beyond it. ok is false if that has
// no meaning.
func LimitUsed(o *result.ObjectiveResult, n result.Num) (u float64, ok bool) {
	v, t := float64(n), float64(o.Target)
	if !n.Known() {
		return math.Inf(1), o.Infinite
	}
	if !o.Target.Known() || o.Op == "=" {
		return 0, false
	}
	if o.Op == "<" || o.Op == "<=" {
		if t <= 0 {
			return 0, false
		}
		return v / t, true
	}
	if o.Of().Unit == slo.ShareOf {
		v, t = 1-v, 1-t
	} else {
		v, t = t, v
	}
	if t <= 0 {
		return 0, false
	}
	return v / t, true
}

// AbsentWhy says why the fault of an objective was not injected, where that leaves the objective open; else it is
// empty.
func AbsentWhy(r *result.Result, o *result.ObjectiveResult) string {
	f := faultNamed(r, o.Phase.Of(slo.FaultPhase).String())
	if f == nil || f.Injected.Known() || !o.Because.Has(result.PhaseAbsent, result.FaultAbsent) {
		return ""
	}
	return Clean(f.Note)
}
