package judge

import (
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// The texts of the adjustments for seconds in which other programs held the processors.
const (
	heldName   = "processors held"
	heldCounts = "other programs held the processors of the machine on which brunt and the target run: the seconds are " +
		"left out in which that may explain each timeout and each slow answer, because the target's units waited for a " +
		"processor for as long"
	heldChanged = "a failure is inconclusive: the target may have lacked a processor"
)

// explains is the share of the longest answer for which the units must have waited to explain it. The rest is what the
// answer takes anyway, and the error of the readings.
const explains = .9

// heldWindows returns the windows, by start, in which other programs held the processors, and whose bad and slow
// requests a lack of processors may explain. An error other than a timeout is an answer of the target, or of its
// system, and no wait explains it. See [readings.waited] for the other requests.
func (f *readings) heldWindows() map[time.Duration]bool {
	if f.held != nil || len(f.c.Held) == 0 {
		return f.held
	}
	out, freezes := map[time.Duration]bool{}, f.freezes()
	f.index()
	for next := 0; next < len(f.records); {
		start, first := f.records[next].Start, next
		for next < len(f.records) && f.records[next].Start == start {
			next++
		}
		longest, waits := f.longestWait(f.records[first:next])
		until := f.EndOf(start) + longest
		if !waits || !slices.ContainsFunc(f.c.Held, func(s requests.Span) bool { return s.From < until && s.To > start }) {
			continue
		}
		lag := measure.LongestFreeze(freezes, start, until)
		for i := first; i < len(f.records) && f.records[i].Start < until; i++ {
			lag = max(lag, f.late[f.records[i].Start])
		}
		if f.waited(requests.Span{From: start, To: f.EndOf(start)}, longest, lag) {
			out[start] = true
		}
	}
	f.held = out
	return out
}

// waited reports whether waits for a processor may explain that an answer to a request of a span took as long as
// longest.
//
// While a request waits for a processor, a task of one of the units waits, or brunt does. So if the control groups of
// the units tell how long tasks of them waited, these waits and brunt's own lag, for reading the answer, must be
// [explains] of the longest answer.
//
// Where a unit has no group of its own, its waits are not known. Those of the whole machine contain the waits of the
// programs that hold it, so they only tell what can't be: they must be as long as well. brunt's own lag then tells what
// may be. It is one wait for a processor, and a request waits at most [result.ProcessorWaits] times, so ten times the
// lag must be as long as the longest answer.
func (f *readings) waited(in requests.Span, longest, lag time.Duration) bool {
	enough := func(d time.Duration) bool { return float64(d) >= explains*float64(longest) }
	if f.c.Waited == nil {
		return result.ProcessorWaits*lag >= longest
	}
	waited, own, known := f.c.Waited(in.From, in.To, longest)
	if own && known {
		return enough(waited + lag)
	}
	return result.ProcessorWaits*lag >= longest && (!known || enough(waited+lag))
}

// longestWait returns the longest time that a request of a window took, without brunt's own time. waits is false if
// a wait can't explain each bad request of it.
func (f *readings) longestWait(window []record) (longest time.Duration, waits bool) {
	for i := range window {
		r := &window[i]
		if int(r.Series) >= len(f.Config.Steps) {
			continue
		}
		longest = max(longest, r.Own.Most)
		timeouts := r.Timeouts - r.Own.Timeouts
		if r.Kinds[scenarios.Error]-r.Own.Errors > timeouts {
			return 0, false
		}
		if timeouts > 0 {
			limit := f.Config.Loads[f.Config.LoadOf(int(r.Series))].Timeout
			if limit == 0 {
				return 0, false
			}
			longest = max(longest, limit)
		}
	}
	return longest, true
}

// withoutHeld judges a failure on bad requests or on times again without the windows of [readings.heldWindows]. It
// stands if the other windows show it. A failure of a metric that no wait explains stands as well: the share of
// requests that the target refused, and the rate of an open load, whose arrivals do not wait for the target.
//
// A rate of users who wait for answers is judged by the other windows, as these users send less meanwhile. The goodput
// of an open load is judged as if each request of the windows had been good, so that a lower rate of arrivals outside
// of them does not count.
func (e *evaluator) withoutHeld(q *ask, r result.ObjectiveResult) result.ObjectiveResult {
	row, users := q.o.Metric.Row(), e.read.ofUsers(q.o)
	waits := row.CountsBad || row.TimesOut || row.Rate != nil && users || row.Spans != nil || q.o.Metric.Latency()
	if r.Verdict != scenarios.Fail || e.unheld == nil || !waits {
		return r
	}
	n := e.read.heldIn(q.p.Span)
	if n == 0 {
		return r
	}
	var other requests.Sum
	for s := range e.unheld[q.i] {
		if requests.Selects(&e.read.Config.Series, q.o, s) {
			other.Merge(e.unheld[q.i][s].CountsWithTimes())
		}
	}
	supposed, read := *e, e.read.withHeldGood()
	supposed.read, supposed.blocks = &read, nil
	sum := *other.Punctual()
	switch {
	case row.Rate == nil:
	case users:
		read.without = e.read.heldWindows()
	default:
		sum = q.punctual.WithBadOf(&sum)
	}
	if supposed.punctually(q, sum).Verdict != scenarios.Fail {
		r.Verdict, r.Because = scenarios.Inconclusive, result.Notes{{Kind: result.MachineFails, Count: n}}
	}
	return r
}

// ofUsers reports whether all loads that an objective selects are closed: their users wait for answers.
func (f *readings) ofUsers(o slo.Objective) bool {
	for l := range f.Config.Loads {
		if requests.About(&f.Config.Series, o, l) && !f.Config.Loads[l].Closed {
			return false
		}
	}
	return true
}

// withHeldGood judges a failure on faults again as if each request in the windows of [readings.heldWindows] had been
// good.
func withHeldGood(f *effects, q *faultAsk, r result.ObjectiveResult) result.ObjectiveResult {
	n := f.read.heldIn(f.read.run())
	if n > 0 && q.judge(f.supposing(f.read.withHeldGood())).Verdict != scenarios.Fail {
		r.Verdict, r.Because = scenarios.Inconclusive, result.Notes{{Kind: result.MachineFails, Count: n}}
	}
	return r
}

// withHeldGood returns readings in which each request of the windows of heldWindows was good, and none of them was in
// flight for long.
func (f *readings) withHeldGood() readings {
	windows := f.heldWindows()
	out := *f
	out.records, out.windows, out.flows, out.heldGood = slices.Clone(f.records), nil, nil, true
	for i := range out.records {
		r := &out.records[i]
		if !windows[r.Start] {
			continue
		}
		bad := r.Kinds[scenarios.Error] + r.Kinds[scenarios.Skipped]
		r.Kinds[scenarios.OK] += bad
		r.Kinds[scenarios.Error], r.Kinds[scenarios.Skipped], r.Timeouts, r.Slow = 0, 0, 0, 0
		r.Checks, r.Failed = 0, 0
		r.Over, r.Own = make([]int64, len(r.Over)), measure.Own{Most: r.Own.Most, Over: make([]int64, len(r.Own.Over))}
		r.edges = r.edges.AllGood()
	}
	return out
}

// heldIn returns how many seconds of a span have one of the windows of heldWindows.
func (f *readings) heldIn(in requests.Span) int64 {
	seconds := map[time.Duration]bool{}
	for start := range f.heldWindows() {
		if start >= in.From && start < in.To {
			seconds[measure.FloorSecond(start)] = true
		}
	}
	return int64(len(seconds))
}
