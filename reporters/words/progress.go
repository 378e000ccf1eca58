package words

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// ErrorShare returns the share of errors among ended requests.
func ErrorShare(errors, ended int64) string {
	if ended == 0 {
		return "0%"
	}
	return Percent(float64(errors) / float64(ended))
}

// TimeLeft returns the remaining time of the run, and the share of it that is done, 0 to 1.
func TimeLeft(iv result.Interval) (text string, done float64) {
	switch {
	case iv.At < 0:
		return "load is judged in " + Clock(-iv.At.Seconds()), 0
	case iv.At >= iv.End:
		return "waiting for the last answers", 1
	}
	return Clock(iv.At.Seconds()) + " of " + Clock(iv.End.Seconds()) + ", " + Clock((iv.End - iv.At).Seconds()) + " left",
		iv.At.Seconds() / iv.End.Seconds()
}

// PhaseOf returns the phase of an interval.
func PhaseOf(iv result.Interval) string {
	if iv.At < 0 {
		return "warm-up"
	}
	return Clean(iv.Phase)
}

// FaultsActive describes the active faults, how long they still last, and the next fault, in width columns in total.
func FaultsActive(iv result.Interval, width int) (active, next string) {
	if len(iv.Faults) > 0 {
		var names []string
		for _, f := range iv.Faults {
			var name strings.Builder
			name.WriteString(Clean(f))
			for _, t := range iv.Timetable {
				if t.Name == f && t.Clear > iv.At {
					name.WriteString(", " + Clock((t.Clear - iv.At).Seconds()) + " left")
				}
			}
			names = append(names, name.String())
		}
		active = "now: " + someOf(names, width-len("now:   next: "+Clean(iv.Next)+" in 00:00")) + "  "
	}
	switch {
	case iv.Next != "":
		return active, "next: " + Clean(iv.Next) + " in " + Clock((iv.NextAt - iv.At).Seconds())
	case len(iv.Faults) == 0:
		return active, "none in, none to come"
	}
	return active, "none to come"
}

// someOf lists as many names as fit into width columns, at least one.
func someOf(names []string, width int) string {
	text := names[0]
	for i, n := range names[1:] {
		more := ""
		if rest := len(names) - i - 2; rest > 0 {
			more = " and " + strconv.Itoa(rest) + " more"
		}
		if Width(text+"; "+n+more) > width {
			return text + " and " + strconv.Itoa(len(names)-i-1) + " more"
		}
		text += "; " + n
	}
	return text
}

// Int writes a number without separators.
func Int(n int64) string { return strconv.FormatInt(n, 10) }

// PerSecond writes the rate of a number of events in a span; zero is a second.
func PerSecond(n int64, span time.Duration) string {
	return Int(int64(math.Round(float64(n)/cmp.Or(span, time.Second).Seconds()))) + "/s"
}

// AnswerTime formats a percentile of the answers of a second; – if there were no answers.
func AnswerTime(d time.Duration) string {
	if d == 0 {
		return "–"
	}
	return Duration(d)
}

// Duration writes a duration with its unit, such as 1.25s.
func Duration(d time.Duration) string { return quantity.FormatSeconds(d.Seconds()) }

// LedgerProgress describes how much of the ledger is read, or how many messages of deliveries are seen.
func LedgerProgress(iv result.Interval) string {
	if iv.Phase == result.PhaseDeliveries {
		return fmt.Sprintf("waiting for messages: %d of %d seen", iv.Asked, iv.ToAsk)
	}
	return fmt.Sprintf("reading the ledger: %d of %d writes", iv.Asked, iv.ToAsk)
}

// A RunningState is how an objective of a run in progress stands, in the same three parts for every objective.
type RunningState struct {
	Value  string // measured value; of a percentile that of the last second, as in 12ms now; – if it is not known yet
	Target string // value of the target; – if it is known only after the load
	// such as 88% left, 1.4x the limit, holds or not yet known; of a percentile it is the budget of slower requests
	Left string
}

// Columns returns the parts in their order.
func (s RunningState) Columns() [3]string { return [3]string{s.Value, s.Target, s.Left} }

// String returns the parts in one line, such as 0.12% / 1% / 88% left.
func (s RunningState) String() string { return s.Value + " / " + s.Target + " / " + s.Left }

// StateOf returns how an objective of a run in progress stands.
func StateOf(v result.RunningVerdict, iv *result.Interval) RunningState {
	s := RunningState{Value: "–", Target: "–"}
	if o := v.Asked; o.Metric.Text != "" && !o.Relative() {
		s.Target = o.Metric.FormatValue(o.Value)
		if v.Measured.Known() {
			s.Value = o.Metric.FormatValue(float64(v.Measured))
		} else if now := lastSecond(v, iv); now > 0 {
			s.Value = AnswerTime(now) + " now"
		}
	}
	left := float64(v.Left)
	switch {
	case v.Verdict == scenarios.Pending:
		s.Left = wordPending
	case math.IsInf(left, -1):
		s.Left = "none may"
	case left < 0:
		s.Left = times(1-left, "the limit")
		switch o := v.Asked; {
		case o.Metric.Text == "", o.Relative():
		case o.Metric.Latency(): // of the requests that may be slower, and not of the time
			s.Left = times(1-left, "the budget")
		default:
			s.Left = overText(o.Op, o.Metric, o.Value, 1-left)
		}
	case !math.IsNaN(left):
		share, _ := PercentLeft(v)
		s.Left = strconv.Itoa(share) + "% left"
		if v.Asked.Metric.Text != "" && v.Asked.Metric.Latency() { // of the requests that may be slower
			s.Left = strconv.Itoa(share) + "% of budget left"
		}
	case v.Verdict == scenarios.Pass:
		s.Left = "holds"
	default:
		s.Left = "fails"
	}
	return s
}

// PercentLeft returns the unused part of the budget of an objective in percent, rounded down; 0 if it is overdrawn. It
// returns false without a budget.
func PercentLeft(v result.RunningVerdict) (share int, ok bool) {
	left := float64(v.Left)
	if math.IsNaN(left) || math.IsInf(left, 0) {
		return 0, false
	}
	return int(math.Floor(100*math.Max(0, left) + 1e-9)), true
}

// ByUrgency compares objectives of a run in progress: failing ones come first, then the ones with the smallest unused
// part of a budget, and last the ones that are not yet known.
func ByUrgency(a, b result.RunningVerdict) int {
	claim := func(v result.RunningVerdict) int {
		return slices.Index([]scenarios.Verdict{scenarios.Fail, scenarios.Pass, scenarios.Pending}, v.Verdict)
	}
	left := func(v result.RunningVerdict) float64 {
		if math.IsNaN(float64(v.Left)) {
			return 1
		}
		return float64(v.Left)
	}
	return cmp.Or(cmp.Compare(claim(a), claim(b)), cmp.Compare(left(a), left(b)))
}

// lastSecond returns a percentile over all loads and steps of the last second, if an objective asks about it in a
// phase that is now; else 0.
func lastSecond(v result.RunningVerdict, iv *result.Interval) time.Duration {
	o := v.Asked
	if !o.PercentileOfAll() || v.Phase.Kind != slo.RunPhase && !slices.Contains(iv.Faults, v.Phase.String()) {
		return 0
	}
	return map[float64]time.Duration{.5: iv.P50, .95: iv.P95, .99: iv.P99}[o.Metric.Quantile]
}
