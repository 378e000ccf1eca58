package reporters

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
)

// liveLines bounds the live block on a high screen.
const liveLines = 20

// liveBlock is the state of a run in at most height lines of at most width columns. What
// has no room is counted: and 12 more.
func liveBlock(iv result.Interval, width, height int) [][]span {
	if iv.ToAsk > 0 {
		return [][]span{{{clip(readingLine(iv), width), plain}}}
	}
	label := func(s string) span { return span{pad(s, 9, false), dim} }
	errors := plain
	if iv.Errors > 0 {
		errors = bad
	}
	ended := iv.OK + iv.Shed + iv.Errors
	wrong := errorShare(iv.Errors, ended)
	rates := []span{label("requests"), {perSecond(iv.Offered) + " offered  ", plain}, {perSecond(iv.OK) + " ok  ", plain}}
	if iv.Shed > 0 {
		rates = append(rates, span{perSecond(iv.Shed) + " shed  ", plain})
	}
	rates = append(rates, span{perSecond(iv.Errors) + " errors (" + wrong + ")", errors})
	total := itoa64(iv.Total) + " so far"
	if iv.Bad > 0 {
		total += ", " + itoa64(iv.Bad) + " of them bad"
	}
	block := [][]span{
		progress(iv, width),
		rates,
		{label("latency"), {"p50 " + answered(iv.P50) + "  p95 " + answered(iv.P95) + "  p99 " + answered(iv.P99), plain}},
		{label("brunt"), {itoa64(iv.InFlight) + " in flight  lag " + short(iv.Lag), plain}, {"  " + total, dim}},
		append([]span{label("faults")}, faultsNow(iv, width-9)...),
	}
	return append(block, standings(iv.Objectives, width, min(height, liveLines)-len(block))...)
}

// errorShare is the share of errors among what ended.
func errorShare(errors, ended int64) string {
	if ended == 0 {
		return "0%"
	}
	return percent(float64(errors) / float64(ended))
}

// standings are the objectives as they stand, a line each: those that fail have the first
// claim to the room there is, then those with the least of their budget left.
func standings(list []result.Standing, width, room int) [][]span {
	if room < 1 || len(list) == 0 {
		return nil
	}
	shown := make([]int, len(list))
	for i := range shown {
		shown[i] = i
	}
	rest := ""
	if len(list) > room {
		claim := map[scenarios.Verdict]int{scenarios.Fail: 0, scenarios.Pass: 1, scenarios.Pending: 2}
		slices.SortStableFunc(shown, func(a, b int) int {
			x, y := list[a], list[b]
			return cmp.Or(cmp.Compare(claim[x.Verdict], claim[y.Verdict]), cmp.Compare(leftOf(x), leftOf(y)))
		})
		rest = othersStand(list, shown[room-1:])
		shown = shown[:room-1]
		slices.Sort(shown)
	}
	wide := 0
	for _, i := range shown {
		wide = max(wide, textWidth(clean(list[i].Text)))
	}
	wide = min(wide, max(20, width-2-34))
	var out [][]span
	for _, i := range shown {
		s := list[i]
		st := tones[tone(s.Verdict)]
		if s.Verdict == scenarios.Pending {
			st = dim
		}
		out = append(out, []span{{mark(s.Verdict) + " ", st}, {pad(clip(clean(s.Text), wide), wide, false) + "  ", plain}, {standingText(s), st}})
	}
	if rest != "" {
		out = append(out, []span{{rest, dim}})
	}
	return out
}

// leftOf orders what is left of a budget; where there is none it is whole.
func leftOf(s result.Standing) float64 {
	if math.IsNaN(float64(s.Left)) {
		return 1
	}
	return float64(s.Left)
}

// othersStand counts objectives that have no room.
func othersStand(list []result.Standing, which []int) string {
	n := map[scenarios.Verdict]int{}
	for _, i := range which {
		n[list[i].Verdict]++
	}
	var parts []string
	for _, v := range []struct {
		verdict scenarios.Verdict
		word    string
	}{{scenarios.Fail, "fail"}, {scenarios.Pass, "hold"}, {scenarios.Pending, "not yet known"}} {
		if n[v.verdict] > 0 {
			parts = append(parts, strconv.Itoa(n[v.verdict])+" "+v.word)
		}
	}
	return "and " + strconv.Itoa(len(which)) + " more: " + strings.Join(parts, ", ")
}

// standingText says how an objective stands, and what is left of its error budget: of the
// requests that it allows to be bad.
func standingText(s result.Standing) string {
	left := ""
	switch f := float64(s.Left); {
	case math.IsNaN(f):
	case math.IsInf(f, -1):
		left = "none allowed"
	case f < 0:
		left = "budget overdrawn " + number(1-f) + " times"
	default:
		left = strconv.Itoa(int(math.Floor(100*f))) + "% of its budget left"
	}
	switch {
	case s.Verdict == scenarios.Pending && left == "":
		return "not yet known"
	case s.Verdict == scenarios.Pending:
		return "not yet known, " + left
	case left == "" && s.Verdict == scenarios.Pass:
		return "holds"
	case left == "":
		return "fails"
	}
	return left
}

// progress is the first line: the phase, a bar, and the time that is left.
func progress(iv result.Interval, width int) []span {
	phase := phaseOf(iv)
	left, done := timeLeft(iv)
	line := []span{{pad(phase, 9, false), bold}}
	if room := width - 9 - 2 - len(left); room >= 10 {
		room = min(room, 40)
		full := int(done * float64(room))
		line = append(line, span{strings.Repeat("━", full), good}, span{strings.Repeat("─", room-full), dim}, span{"  ", plain})
	}
	return append(line, span{left, plain})
}

// timeLeft says how long the run goes on, and how much of it is done, 0 to 1.
func timeLeft(iv result.Interval) (text string, done float64) {
	switch {
	case iv.At < 0:
		return "load is judged in " + clock(-iv.At.Seconds()), 0
	case iv.At >= iv.End:
		return "waiting for the last answers", 1
	}
	return clock(iv.At.Seconds()) + " of " + clock(iv.End.Seconds()) + ", " + clock((iv.End - iv.At).Seconds()) + " left", iv.At.Seconds() / iv.End.Seconds()
}

// phaseOf names the phase of an interval.
func phaseOf(iv result.Interval) string {
	if iv.At < 0 {
		return "warm-up"
	}
	return clean(iv.Phase)
}

// faultsNow says which faults are in, for how long still, and which comes next, in width
// columns.
func faultsNow(iv result.Interval, width int) []span {
	var line []span
	if len(iv.Faults) > 0 {
		var names []string
		for _, f := range iv.Faults {
			var name strings.Builder
			name.WriteString(clean(f))
			for _, t := range iv.Timetable {
				if t.Name == f && t.Clear > iv.At {
					name.WriteString(", " + clock((t.Clear - iv.At).Seconds()) + " left")
				}
			}
			names = append(names, name.String())
		}
		line = append(line, span{"now: " + someOf(names, width-len("now:   next: "+clean(iv.Next)+" in 00:00")) + "  ", unsure})
	}
	switch {
	case iv.Next != "":
		line = append(line, span{"next: " + clean(iv.Next) + " in " + clock((iv.NextAt - iv.At).Seconds()), plain})
	case len(iv.Faults) == 0:
		line = append(line, span{"none in, none to come", dim})
	default:
		line = append(line, span{"none to come", dim})
	}
	return line
}

func quietLine(s *result.Interval, span time.Duration) string {
	per := func(n int64) string { return number(float64(n)/span.Seconds()) + "/s" }
	at := clock(s.At.Seconds())
	if s.At < 0 {
		at = "-" + clock(-s.At.Seconds())
	}
	line := at + " " + s.Phase + ": " + per(s.Offered) + " offered, " + per(s.OK) + " ok, " + itoa64(s.Errors) + " errors, worst second p50 " + answered(s.P50) +
		" p95 " + answered(s.P95) + " p99 " + answered(s.P99) + ", " + itoa64(s.InFlight) + " in flight, lag " + short(s.Lag)
	if len(s.Faults) > 0 {
		line += ", faults in: " + clean(strings.Join(s.Faults, ", "))
	}
	return line
}

// someOf lists names in width columns, as many as there is room for and one at least.
func someOf(names []string, width int) string {
	text := names[0]
	for i, n := range names[1:] {
		more := ""
		if rest := len(names) - i - 2; rest > 0 {
			more = " and " + strconv.Itoa(rest) + " more"
		}
		if textWidth(text+"; "+n+more) > width {
			return text + " and " + strconv.Itoa(len(names)-i-1) + " more"
		}
		text += "; " + n
	}
	return text
}

func itoa64(n int64) string { return strconv.FormatInt(n, 10) }

func perSecond(n int64) string { return itoa64(n) + "/s" }

// answered is a percentile of the answers of a second, in which there may have been
// none.
func answered(d time.Duration) string {
	if d == 0 {
		return "–"
	}
	return short(d)
}

func short(d time.Duration) string { return quantity.FormatSeconds(d.Seconds()) }
