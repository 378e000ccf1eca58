package terminal

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
)

// liveLines bounds the lines of the live block on a tall screen.
const liveLines = 20

// liveBlock returns the state of a run in at most height lines of at most width columns. It counts the objectives
// without room, as in "and 12 more".
func liveBlock(iv result.Interval, past *past, width, height int) [][]span {
	if iv.ToAsk > 0 {
		return [][]span{{{words.Clip(words.LedgerProgress(iv), width), plain}}}
	}
	label := func(s string) span { return span{words.Pad(s, 9, false), dim} }
	errors := plain
	if iv.Errors > 0 {
		errors = bad
	}
	ended := iv.Made()
	wrong := words.ErrorShare(iv.Errors, ended)
	rates := []span{
		label("requests"),
		{words.PerSecond(iv.Offered, iv.Span) + " offered  ", plain},
		{words.PerSecond(iv.OK, iv.Span) + " ok  ", plain},
	}
	if iv.Shed > 0 {
		rates = append(rates, span{words.PerSecond(iv.Shed, iv.Span) + " shed  ", plain})
	}
	rates = append(rates, span{words.PerSecond(iv.Errors, iv.Span) + " errors (" + wrong + ")", errors})
	total := words.Int(iv.Total) + " so far"
	if iv.Bad > 0 {
		total += ", " + words.Int(iv.Bad) + " of them bad"
	}
	times := []span{label("latency"), {"p50 " + words.AnswerTime(iv.P50) + "  p95 " + words.AnswerTime(iv.P95) + "  p99 " +
		words.AnswerTime(iv.P99), plain}}
	block := [][]span{
		progress(iv, width),
		past.beside(rates, width, past.failed),
		past.beside(times, width, past.times),
		{label("brunt"), {words.Int(iv.InFlight) + " in flight  lag " + words.Duration(iv.Lag), plain}, {"  " + total, dim}},
		append([]span{label("faults")}, faultsLine(iv, width-9)...),
	}
	return append(block, objectiveLines(&iv, width, min(height, liveLines)-len(block))...)
}

// objectiveLines returns the states of as many objectives as there is room for, one line each: failing ones first,
// then by the budget left, least first.
func objectiveLines(iv *result.Interval, width, room int) [][]span {
	list := iv.Objectives
	if room < 1 || len(list) == 0 {
		return nil
	}
	shown := make([]int, len(list))
	for i := range shown {
		shown[i] = i
	}
	rest := ""
	if len(list) > room {
		slices.SortStableFunc(shown, func(a, b int) int { return words.ByUrgency(list[a], list[b]) })
		rest = countOthers(list, shown[room-1:])
		shown = shown[:room-1]
		slices.Sort(shown)
	}
	wide := 0
	states := map[int]words.RunningState{}
	var columns [3]int
	for _, i := range shown {
		states[i] = words.StateOf(list[i], iv)
		wide = max(wide, words.Width(words.Clean(list[i].Text)))
		for c, text := range states[i].Columns() {
			columns[c] = max(columns[c], words.Width(text))
		}
	}
	wide = min(wide, max(20, width-2-8-columns[0]-columns[1]-columns[2]))
	var out [][]span
	for _, i := range shown {
		s, state := list[i], states[i].Columns()
		st := tones[words.Tone(s.Verdict)]
		if s.Verdict == scenarios.Pending {
			st = dim
		}
		out = append(out, []span{
			{words.Mark(s.Verdict) + " ", st},
			{words.Pad(words.Clip(words.Clean(s.Text), wide), wide, false) + "  ", plain},
			{words.Pad(state[0], columns[0], true) + " / " + words.Pad(state[1], columns[1], true) + " / " + state[2], st},
		})
	}
	if rest != "" {
		out = append(out, []span{{rest, dim}})
	}
	return out
}

// countOthers counts the objectives without room, by verdict.
func countOthers(list []result.RunningVerdict, which []int) string {
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

// progress returns the first line: the phase, a bar, and the time left.
func progress(iv result.Interval, width int) []span {
	phase := words.PhaseOf(iv)
	left, done := words.TimeLeft(iv)
	line := []span{{words.Pad(phase, 9, false), bold}}
	if room := width - 9 - 2 - len(left); room >= 10 {
		room = min(room, 40)
		full := int(done * float64(room))
		line = append(line, span{strings.Repeat("━", full), good}, span{strings.Repeat("─", room-full), dim},
			span{"  ", plain})
	}
	return append(line, span{left, plain})
}

// faultsLine returns the faults of [words.FaultsActive] in terminal styles.
func faultsLine(iv result.Interval, width int) []span {
	var line []span
	active, next := words.FaultsActive(iv, width)
	if active != "" {
		line = append(line, span{active, unsure})
	}
	st := plain
	if iv.Next == "" {
		st = dim
	}
	return append(line, span{next, st})
}

func quietLine(s *result.Interval, span time.Duration) string {
	per := func(n int64) string { return words.Number(float64(n)/span.Seconds()) + "/s" }
	at := words.Clock(s.At.Seconds())
	if s.At < 0 {
		at = "-" + words.Clock(-s.At.Seconds())
	}
	line := at + " " + s.Phase + ": " + per(s.Offered) + " offered, " + per(s.OK) + " ok, " + words.Int(s.Errors) +
		" errors, worst second p50 " +
		words.AnswerTime(s.P50) +
		" p95 " + words.AnswerTime(s.P95) + " p99 " + words.AnswerTime(s.P99) + ", " + words.Int(s.InFlight) +
		" in flight, lag " + words.Duration(s.Lag)
	if len(s.Faults) > 0 {
		line += ", faults in: " + words.Clean(strings.Join(s.Faults, ", "))
	}
	return line
}
