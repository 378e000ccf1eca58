package slo

import (
	"fmt"
	"strings"
)

// A Miss is an objective that did not hold, with its parts as a report writes them.
type Miss struct {
	Objective
	Got      string // the measured value
	Asked    string // the bound, such as "at most 200ms"
	Limit    string // the bound without its operator
	Requests string // the judged requests or good answers, such as "requests of list during cut"
	Of       string // " of " and the step or load; empty for all
	During   string // " during " and the phase; empty for the whole run
	Fault    string // the fault that the objective names by `after`
	Share    string // for a percentile, the share of requests that it covers
	Span     string // the time in parentheses
	Endless  bool   // the value is infinite: what it measures did not end
}

// answered returns a sentence about a share of requests that is too low.
func answered(what string) func(Miss) string {
	return func(m Miss) string {
		return "only " + m.Got + " of " + m.Requests + what + ", and " + m.Asked + " must be"
	}
}

// missedTime returns a sentence about a time of requests that is too long.
func missedTime(name string) func(Miss) string {
	return func(m Miss) string {
		if m.Endless {
			return "some " + m.Requests + " were never answered rightly, and " + m.Asked + " was asked for"
		}
		return name + " of " + m.Requests + " took " + m.Got + ", and " + m.Asked + " was asked for"
	}
}

// missedEnd returns a sentence about a time of a fault that is too long. before and after are the words around the
// name of the fault.
func missedEnd(before, after string) func(Miss) string {
	return func(m Miss) string {
		what := before + m.Fault + after
		if m.Endless {
			return "the target did not manage " + what + " (" + m.Got + "), and " + m.Asked + " was asked for"
		}
		return "the target took " + m.Got + " " + what + ", and " + m.Asked + " was asked for"
	}
}

func missedPercentile(m Miss) string {
	if m.Endless {
		return "fewer than " + m.Share + " of " + m.Requests + " were answered rightly, and " + m.Share +
			" within " + m.Limit + " was asked for"
	}
	return m.Share + " of " + m.Requests + " took up to " + m.Got + ", and " + m.Asked + " was asked for"
}

func missedErrors(m Miss) string {
	return m.Got + " of " + m.Requests + " failed, and " + m.Asked + " may"
}

func missedWithin(m Miss) string {
	return answered(" were answered rightly within " + m.Span)(m)
}

func missedRate(m Miss) string {
	return m.Got + " were reached" + m.Of + m.During + ", and " + m.Asked + " was asked for"
}

func missedGoodput(m Miss) string {
	return m.Got + " were answered rightly" + m.Of + m.During + ", and " + m.Asked + " was asked for"
}

func missedDetection(m Miss) string {
	if m.Endless {
		return "the monitoring did not notice " + m.Fault + ", and " + m.Asked + " was asked for"
	}
	return "the monitoring took " + m.Got + " to notice " + m.Fault + ", and " + m.Asked + " was asked for"
}

func missedMark(m Miss) string {
	return m.Fault + " was marked as " + m.Metric.Name + " " + m.Got + " after its injection, and " + m.Asked +
		" was asked for"
}

func missedReach(m Miss) string {
	what := strings.TrimSuffix(strings.TrimPrefix(m.Metric.Text, reachName+"("), ")")
	if m.Metric.Scaled() {
		what = fmt.Sprintf("%s with %.0f ready pods", m.Metric.Source, m.Metric.Until.Value)
	}
	if m.Endless {
		return what + " was not reached after " + m.Fault + ", and " + m.Asked + " was asked for"
	}
	return what + " was reached " + m.Got + " after " + m.Fault + ", and " + m.Asked + " was asked for"
}

// pick returns the words for one, or for another number.
func pick(m Miss, one, many string) string {
	if m.Got == "1" {
		return one
	}
	return many
}

func missedLost(m Miss) string {
	if m.Step != "" { // of a delivery
		return "of the messages that were acknowledged, " + m.Got + pick(m, " was", " were") + " never seen, and " + m.Asked +
			" may be"
	}
	return "of the writes that were acknowledged, " + m.Got + pick(m, " is", " are") + " lost, and " + m.Asked + " may be"
}

func missedTraces(m Miss) string {
	return m.Got + " of the traces" + m.During + " are whole, and " + m.Asked + " was asked for"
}

func missedDuplicated(m Miss) string {
	if m.Step != "" {
		return m.Got + pick(m, " message was", " messages were") + " seen more than once, and " + m.Asked + " may be"
	}
	return m.Got + pick(m, " write is", " writes are") + " there more than once, and " + m.Asked + " may be"
}

func missedReordered(m Miss) string {
	return m.Got + pick(m, " message was", " messages were") + " seen out of order, and " + m.Asked + " may be"
}

func missedRPO(m Miss) string {
	return "acknowledged writes of " + m.Got + " are lost, and " + m.Asked + " was asked for"
}

func missedLate(m Miss) string {
	return "an acknowledged write could be read only after " + m.Got + ", and " + m.Asked + " was asked for"
}

func missedAnomalies(m Miss) string {
	return "reads and writes of registers show " + m.Got + pick(m, " anomaly", " anomalies") + ", and " + m.Asked + " may be"
}

func missedStaleness(m Miss) string {
	return "reads of registers were stale by " + m.Got + " or more, and " + m.Asked + " was asked for"
}
