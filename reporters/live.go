package reporters

import (
	"strconv"
	"strings"
	"time"

	"brunt/scenarios"
)

// liveBlock is the state of a run in a few lines of at most width columns.
func liveBlock(iv scenarios.Interval, width int) [][]span {
	if iv.ToAsk > 0 {
		return [][]span{{{clip(readingLine(iv), width), plain}}}
	}
	label := func(s string) span { return span{pad(s, 9, false), dim} }
	errors := plain
	if iv.Errors > 0 {
		errors = bad
	}
	ended := float64(iv.OK + iv.Shed + iv.Errors)
	wrong := "0%"
	if ended > 0 {
		wrong = percent(float64(iv.Errors) / ended)
	}
	rates := []span{label("requests"), {perSecond(iv.Offered) + " offered  ", plain}, {perSecond(iv.OK) + " ok  ", plain}}
	if iv.Shed > 0 {
		rates = append(rates, span{perSecond(iv.Shed) + " shed  ", plain})
	}
	rates = append(rates, span{perSecond(iv.Errors) + " errors (" + wrong + ")", errors})
	total := itoa64(iv.Total) + " so far"
	if iv.Bad > 0 {
		total += ", " + itoa64(iv.Bad) + " of them bad"
	}
	return [][]span{
		progress(iv, width),
		rates,
		{label("latency"), {"p50 " + answered(iv.P50) + "  p95 " + answered(iv.P95) + "  p99 " + answered(iv.P99), plain}},
		{label("brunt"), {itoa64(iv.InFlight) + " in flight  lag " + short(iv.Lag), plain}, {"  " + total, dim}},
		faultLine(iv, label("faults")),
	}
}

// progress is the first line: the phase, a bar, and the time that is left.
func progress(iv scenarios.Interval, width int) []span {
	phase, left := phaseOf(iv), ""
	done := 0.0
	switch {
	case iv.At < 0:
		left = "load is judged in " + clock(-iv.At.Seconds())
	case iv.At >= iv.End:
		done, left = 1, "waiting for the last answers"
	default:
		done = iv.At.Seconds() / iv.End.Seconds()
		left = clock(iv.At.Seconds()) + " of " + clock(iv.End.Seconds()) + ", " + clock((iv.End - iv.At).Seconds()) + " left"
	}
	line := []span{{pad(phase, 9, false), bold}}
	if room := width - 9 - 2 - len(left); room >= 10 {
		room = min(room, 40)
		full := int(done * float64(room))
		line = append(line, span{strings.Repeat("━", full), good}, span{strings.Repeat("─", room-full), dim}, span{"  ", plain})
	}
	return append(line, span{left, plain})
}

// phaseOf names the phase of an interval.
func phaseOf(iv scenarios.Interval) string {
	if iv.At < 0 {
		return "warm-up"
	}
	return clean(iv.Phase)
}

func faultLine(iv scenarios.Interval, label span) []span {
	line := []span{label}
	if len(iv.Faults) > 0 {
		line = append(line, span{"now: " + clean(strings.Join(iv.Faults, ", ")) + "  ", unsure})
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

func quietLine(s *scenarios.Interval, span time.Duration) string {
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

func short(d time.Duration) string { return scenarios.FormatSeconds(d.Seconds()) }
