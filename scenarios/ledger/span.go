package ledger

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"brunt/scenarios/result"
)

// acknowledged holds the times at which writes were acknowledged, to compute the spans of lost writes. It takes 8
// bytes for each write, and 16 for a lost one.
type acknowledged struct {
	lost        []lostWrite
	held        []time.Duration // times of writes that are there
	first, last time.Duration   // times of the first and last of all writes, including those whose state is unknown
	any         bool
}

// A lostWrite is a write that was lost.
type lostWrite struct {
	at time.Duration // when it was acknowledged
	to int           // the faults that may have lost it, an index of [suspects]
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
func (a *acknowledged) lose(at time.Duration, to int) { a.lost = append(a.lost, lostWrite{at, to}) }

// around returns the times of the last surviving write up to first, and of the first surviving write from last on.
// Without such a write, it returns the time of the first or the last of all writes.
func (a *acknowledged) around(first, last time.Duration) (before, after time.Duration) {
	before, after = a.first, a.last
	if i, found := slices.BinarySearch(a.held, first); found {
		before = first
	} else if i > 0 {
		before = a.held[i-1]
	}
	if i, _ := slices.BinarySearch(a.held, last); i < len(a.held) {
		after = a.held[i]
	}
	return before, after
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
// Its lower bound is the time from the first lost write to the last one. Its upper bound is the time between the
// surviving writes just before and just after them, because only writes between these two can have been lost. Unlike
// the age of the oldest lost write, the span does not grow with the length of the run.
//
// Writes that one of several faults lost count for each of them in the upper bound. In the lower bound they are shared
// out among the faults as well as possible.
func (b *verification) spans() {
	b.out.RPO, b.out.RPOLow = 0, 0
	if len(b.acked.lost) == 0 {
		return
	}
	slices.SortFunc(b.acked.lost, func(a, k lostWrite) int { return cmp.Compare(a.at, k.at) })
	slices.Sort(b.acked.held)
	times := map[int][]time.Duration{} // by set of faults
	var order []int
	for _, w := range b.acked.lost {
		b.lostIn(w)
		if times[w.to] == nil {
			order = append(order, w.to)
		}
		times[w.to] = append(times[w.to], w.at)
	}
	type reach struct {
		first, last time.Duration
		alone       bool // no other fault may have lost any of the writes
	}
	faults := map[int]*reach{} // by fault; -1 means no fault
	for _, to := range order {
		set, at := &b.suspects.sets[to], times[to]
		first, last := at[0], at[len(at)-1]
		before, after := b.acked.around(first, last)
		b.out.LostSpans = append(b.out.LostSpans, result.LostSpan{
			Fault: set.fault(), Faults: set.possible(), Lost: int64(len(at)), First: result.Sec(first), Last: result.Sec(last),
			Before: result.Sec(before), After: result.Sec(after),
		})
		low := result.Sec(leastSpan(at, len(set.faults)))
		if len(set.faults) <= 1 {
			low = result.Sec(last) - result.Sec(first)
		}
		b.out.RPOLow = max(b.out.RPOLow, low) // each bound is the largest over all faults
		all := set.faults
		if len(all) == 0 {
			all = []int{-1}
		}
		for _, f := range all {
			r := faults[f]
			if r == nil {
				r = &reach{first, last, true}
				faults[f] = r
			}
			r.first, r.last, r.alone = min(r.first, first), max(r.last, last), r.alone && len(all) == 1
		}
	}
	for i, f := range slices.Sorted(maps.Keys(faults)) {
		r := faults[f]
		before, after := b.acked.around(r.first, r.last)
		if most := result.Sec(after) - result.Sec(before); most > b.out.RPO || i == 0 {
			b.out.RPO, b.out.RPOFault = most, ""
			if f >= 0 && r.alone {
				b.out.RPOFault = b.suspects.faults[f].Name
			}
		}
	}
}
