package effect

import (
	"math"
	"slices"
	"time"
)

// unsteady reports whether the load was bad before the injection, by the limit alone: two of the last three windows
// were bad, or one of them beyond doubt, or the whole baseline beyond doubt, or two of any three of its windows.
// stuck means that requests were in flight and none ended.
//
// subtle: phi can't distinguish a change of level within the baseline from clusters of errors, and would hide the
// change. So clumps replaces phi in the tests that have to show a change: of the last windows, and of the whole
// baseline. Two bad windows long before the injection may be a cluster, so they are tested with phi.
func (c chances) unsteady(q Question) (yes, stuck bool) {
	all := int64(math.Round(c.p0 * float64(c.n)))
	c.p0 = 0
	calm := c
	calm.phi = min(c.phi, clumps(q.Baseline))
	if calm.tail(c.n, all) < tailStrong {
		return true, false
	}
	for _, ws := range [][]window{calm.last(q.Before), c.windows(q.Baseline, 0, forever)} {
		if at, _ := firstOnset(ws); at >= 0 {
			return true, float64(ws[at].Bad) <= c.limit*float64(ws[at].N)
		}
	}
	return false, false
}

// last joins slices into windows like join, but backwards from their end, and returns the last three in ascending
// order.
func (c chances) last(before []Slice) []window {
	var out []window
	n, to := int64(0), len(before)
	for i := to - 1; i >= 0 && len(out) < 3; i-- {
		n += before[i].N
		whole := c.enough(n, before[to-1].End-before[i].Start)
		if !whole && i > 0 {
			continue
		}
		t := windowOf(before, i, to)
		t.partial = !whole
		t.verdict = c.judge(&t)
		out = append(out, t)
		n, to = 0, i
	}
	slices.Reverse(out)
	return out
}

// levels is the number of changes of level that clumps leaves out.
const levels = 2

// clumps returns the dispersion of bad requests by differences of neighbours: the largest dispersion of slices, of
// pairs of slices, of fours and so on. (widest computes it by the variance of all counts instead.) At a change of
// level only two neighbours differ, so clumps leaves out the pairs that differ most.
func clumps(counts []Slice) float64 {
	phi := 1.0
	for len(counts) >= 5 {
		type pair struct{ square, weight float64 }
		var pairs []pair
		for i := 1; i < len(counts); i++ {
			if square, weight := differ(&counts[i], &counts[i-1]); weight > 0 {
				pairs = append(pairs, pair{square, weight})
			}
		}
		slices.SortFunc(pairs, func(a, b pair) int {
			if a.square > b.square {
				return -1
			}
			return 1
		})
		sum, weight := 0.0, 0.0
		for i := levels; i < len(pairs); i++ {
			sum += pairs[i].square
			weight += pairs[i].weight
		}
		if weight > 0 {
			phi = max(phi, sum/weight)
		}
		twice := make([]Slice, len(counts)/2)
		for i := range twice {
			a, b := &counts[2*i], &counts[2*i+1]
			twice[i] = Slice{N: a.N + b.N, Bad: a.Bad + b.Bad}
		}
		counts = twice
	}
	return phi
}

// differ returns the squared difference between the bad requests of a and its part of the bad requests of a and b,
// and the variance of that difference if chance spread the bad requests over both.
func differ(a, b *Slice) (square, variance float64) {
	all := float64(a.N + b.N)
	if all == 0 {
		return 0, 0
	}
	part, both := float64(a.N)/all, float64(a.Bad+b.Bad)
	d := float64(a.Bad) - part*both
	return d * d, both * part * (1 - part)
}

const (
	earlierSlices = 30 // the number of slices before the injection that show the usual pauses and requests in flight
	pausesLeast   = 20 // fewer requests do not show their usual pauses
	slack         = 20 * time.Millisecond
)

// hungBefore reports whether the requests in flight at the injection, slice first, had hung before it, by more than
// [Early]. Windows of a second do not show that if it was for a part of one.
//
// Users who wait send nothing. So they hung if the pause since the last request is twice as long as any pause before
// it, and longer than any good answer, and each request in flight was bad, or none ended soon. An open load sends on.
// It hung if none ended soon, twice as many requests are in flight as at the begin of any earlier slice, and ten more,
// and the first of them is due for longer than [Question.UnderWay]. What brunt itself delayed shows nothing.
func (c chances) hungBefore(q Question, first int) bool {
	if first >= len(q.Slices) || len(q.Before) == 0 || q.Slices[first].InFlight == 0 {
		return false
	}
	stalled := q.Slices[first].Stalled()
	n, from := int(q.Slices[first].InFlight), max(0, first-earlierSlices)
	for from < first && q.Slices[from].Start < q.Before[0].Start {
		from++
	}
	list, known := marks(q, from, first)
	list = slices.DeleteFunc(list, func(m Mark) bool { return m.At >= q.Injected })
	if !known || len(list) < max(n, pausesLeast) {
		return false
	}
	oldest, most, usual := list[len(list)-n].At, int64(0), time.Duration(0)
	for i := first; i >= 0 && q.Slices[i].End > oldest; i-- {
		if q.Slices[i].Own {
			return false
		}
	}
	for i := 1; i < len(list); i++ {
		usual = max(usual, list[i].At-list[i-1].At)
	}
	if q.Closed && (stalled || q.Caught.N > 0 && q.Caught.Bad == q.Caught.N) &&
		q.Injected-list[len(list)-1].At > max(Early, 2*usual+slack, q.UnderWay/2+slack) {
		return true
	}
	for i := from; i < first && q.Slices[i].Start <= oldest; i++ {
		most = max(most, q.Slices[i].InFlight)
	}
	return stalled && q.UnderWay > 0 && q.Injected-oldest > max(Early, q.UnderWay) && int64(n) > 2*most+10
}
