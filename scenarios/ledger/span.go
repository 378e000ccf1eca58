package ledger

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"brunt/scenarios/result"
)

// acknowledged holds the times at which writes were acknowledged, to compute the spans of lost writes. It takes 8
// bytes for each write, 24 for a lost one, and 16 for an attempt that was not acknowledged.
type acknowledged struct {
	lost        []lostWrite
	held        []time.Duration // times of writes that are there
	failed      []attempt       // writes that were tried and not acknowledged
	first, last time.Duration   // times of the first and last of all writes, including those whose state is unknown
	any         bool
}

// A lostWrite is a write that was lost.
type lostWrite struct {
	at   time.Duration // when it was acknowledged
	took time.Duration // its service time
	to   int           // the faults that may have lost it, an index of [suspects]
}

func (a *acknowledged) add(at time.Duration, held bool) {
	if !a.any {
		a.any, a.first, a.last = true, at, at
	}
	a.first, a.last = min(a.first, at), max(a.last, at)
	if held {
		a.held = append(a.held, at)
	}
}

// lose adds a lost write, which add has added.
func (a *acknowledged) lose(w lostWrite) { a.lost = append(a.lost, w) }

// fail adds an attempt that was not acknowledged.
func (a *acknowledged) fail(tried attempt) { a.failed = append(a.failed, tried) }

// A reach is when the writes that may have been lost together were acknowledged.
type reach struct {
	first, last time.Duration
	slowest     time.Duration // their longest service time
	alone       bool          // no other fault may have lost any of them
}

// around returns the bounds of a reach: the time of the last surviving write up to its first one, and the time from
// which on no further write can have been lost. That is the first surviving write after its last one, or, if it comes
// earlier, the time by which the target acknowledged no more: see [acknowledged.refusedAfter]. Without a surviving
// write, it returns the time of the first or the last of all writes.
func (a *acknowledged) around(r reach) (before, after time.Duration) {
	before, after = a.first, a.last
	if i, found := slices.BinarySearch(a.held, r.first); found {
		before = r.first
	} else if i > 0 {
		before = a.held[i-1]
	}
	if i, _ := slices.BinarySearch(a.held, r.last); i < len(a.held) {
		after = a.held[i]
	}
	return before, a.refusedAfter(r, after)
}

// refusedAfter returns when the first attempt after the last write of a reach failed, or until at the latest. An
// attempt that hung counts as failed once it took as long as the slowest lost write: had the target still acknowledged
// writes, it would have acknowledged this one by then. Attempts are sorted by their begin.
func (a *acknowledged) refusedAfter(r reach, until time.Duration) time.Duration {
	i, _ := slices.BinarySearchFunc(a.failed, r.last, func(t attempt, at time.Duration) int {
		return cmp.Compare(t.begin, at)
	})
	for _, t := range a.failed[i:] {
		if t.begin >= until {
			break
		}
		until = min(until, max(r.last, min(t.end, t.begin+r.slowest)))
	}
	return until
}

// mostSeconds is the maximum number of seconds for which lost writes are counted.
const mostSeconds = 600

// lostIn counts a lost write in the second of its acknowledgement. It is called in the order of time.
func (b *verification) lostIn(w lostWrite) {
	t := result.Sec(w.at.Truncate(time.Second))
	if w.at < 0 { // in the warm-up
		t = result.Sec((w.at - time.Second + 1).Truncate(time.Second))
	}
	to := &b.suspects.sets[w.to]
	all := b.out.LostSeconds
	for i := len(all) - 1; i >= 0 && all[i].T == t; i-- {
		if all[i].Fault == to.fault() && slices.Equal(all[i].Faults, to.possible()) {
			all[i].Lost++
			return
		}
	}
	if len(all) < mostSeconds {
		b.out.LostSeconds = append(all, result.LostSecond{T: t, Fault: to.fault(), Faults: to.possible(), Lost: 1})
	}
}

// spans computes the recovery point from the lost writes: for each fault, the span of acknowledgements of the writes
// that were lost to it.
//
// Its lower bound is the time from the first lost write to the last one. Its upper bound is the time from the surviving
// write just before them to the first attempt after them that was not acknowledged, or to the next surviving write,
// because only writes between these two can have been lost. So the time for which the target acknowledged nothing is
// no part of it. Unlike the age of the oldest lost write, the span does not grow with the length of the run.
//
// Writes that one of several faults lost count for each of them in the upper bound. In the lower bound they are shared
// out among the faults as well as possible.
func (b *verification) spans() {
	b.out.RPO, b.out.RPOLow = 0, 0
	if len(b.acked.lost) == 0 {
		return
	}
	slices.SortFunc(b.acked.lost, func(a, k lostWrite) int { return cmp.Compare(a.at, k.at) })
	slices.SortFunc(b.acked.failed, func(a, k attempt) int { return cmp.Compare(a.begin, k.begin) })
	slices.Sort(b.acked.held)
	times, slowest := map[int][]time.Duration{}, map[int]time.Duration{} // by set of faults
	var order []int
	for _, w := range b.acked.lost {
		b.lostIn(w)
		if times[w.to] == nil {
			order = append(order, w.to)
		}
		times[w.to], slowest[w.to] = append(times[w.to], w.at), max(slowest[w.to], w.took)
	}
	faults := map[int]*reach{} // by fault; -1 means no fault
	for _, to := range order {
		set, at := &b.suspects.sets[to], times[to]
		span := reach{first: at[0], last: at[len(at)-1], slowest: slowest[to], alone: true}
		before, after := b.acked.around(span)
		b.out.LostSpans = append(b.out.LostSpans, result.LostSpan{
			Fault: set.fault(), Faults: set.possible(), Lost: int64(len(at)), First: result.Sec(span.first),
			Last: result.Sec(span.last), Before: result.Sec(before), After: result.Sec(after),
		})
		low := result.Sec(leastSpan(at, len(set.faults)))
		if len(set.faults) <= 1 {
			low = result.Sec(span.last) - result.Sec(span.first)
		}
		b.out.RPOLow = max(b.out.RPOLow, low) // each bound is the largest over all faults
		all := set.faults
		if len(all) == 0 {
			all = []int{-1}
		}
		for _, f := range all {
			r := faults[f]
			if r == nil {
				own := span
				r = &own
				faults[f] = r
			}
			*r = reach{
				first: min(r.first, span.first), last: max(r.last, span.last), slowest: max(r.slowest, span.slowest),
				alone: r.alone && len(all) == 1,
			}
		}
	}
	for i, f := range slices.Sorted(maps.Keys(faults)) {
		r := faults[f]
		before, after := b.acked.around(*r)
		if most := result.Sec(after) - result.Sec(before); most > b.out.RPO || i == 0 {
			b.out.RPO, b.out.RPOFault = most, ""
			if f >= 0 && r.alone {
				b.out.RPOFault = b.suspects.faults[f].Name
			}
		}
	}
}
