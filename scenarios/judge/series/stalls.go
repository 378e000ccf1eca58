// In a stall of the target, requests are in flight and none ends. Requests that simply take as long as usual are no
// stall.
//
//	windows, records by series --ClearStalls--> windows; InFlight stays only in stalls, and where requests end

package series

import (
	"slices"
	"time"

	"brunt/scenarios/judge/effect"
)

// LeastStall is the least time that a user of a closed load waits in a stall. Shorter waits are normal response
// times, for which users of a real service wait as well.
const LeastStall = time.Second

// StallOfFailures returns the least time that a user of a load waits in a stall before its request fails: nine tenths
// of the load's timeout, or [LeastStall] if that is shorter. A timeout of zero is unknown. A request that is refused
// at once is no wait.
func StallOfFailures(timeout time.Duration) time.Duration {
	if timeout > 0 {
		return min(LeastStall, timeout/10*9)
	}
	return LeastStall
}

// fewest is the number of requests that must usually end in the time of a stall. The chance that none of so many ends
// is one in a million.
const fewest = 14

// A StallRecord counts the requests of a series in a window.
type StallRecord struct {
	Series int32
	Ready  int64         // requests that became ready to be sent in the window
	Ended  int64         // requests that ended in the window
	Good   int64         // good answers to requests that were due in the window
	Took   time.Duration // sum of their response times
}

// ClearStalls zeroes InFlight in windows that are not part of a stall, although requests are in flight and none ends:
// the span of such windows is no longer than the mean time of good answers of the series, or too few requests are in
// flight. first has the first record of each window, and as its last entry the number of records. of returns a
// record, and whether it counts.
//
// The rate at which requests end at other times can't show a stall: a load may ramp down to one user, or follow a
// faster load, and users who begin together wait together.
func ClearStalls(windows []effect.Slice, first []int, series int, of func(record int) (StallRecord, bool)) {
	// by series: requests in flight at the begin of a window in which none ends
	flight, under := make([][]int64, len(windows)), make([]int64, series)
	good, took := make([]int64, series), make([]time.Duration, series)
	for i := range windows {
		if windows[i].Stalled() {
			flight[i] = slices.Clone(under)
		}
		for n := first[i]; n < first[i+1]; n++ {
			r, counts := of(n)
			if !counts {
				continue
			}
			under[r.Series] += r.Ready - r.Ended
			if windows[i].Start >= 0 {
				good[r.Series], took[r.Series] = good[r.Series]+r.Good, took[r.Series]+r.Took
			}
		}
	}
	for s := range took {
		took[s] /= time.Duration(max(1, good[s]))
	}
	for from := 0; from < len(windows); from++ {
		to := from
		for to < len(windows) && windows[to].Stalled() {
			to++
		}
		if missed(windows[from:to], flight[from:to], took) < fewest {
			for i := from; i < to; i++ {
				windows[i].InFlight = 0
			}
		}
		from = max(from, to-1)
	}
}

// missed returns how many requests would usually have ended in a span, over the series whose answers usually take
// less time.
func missed(list []effect.Slice, flight [][]int64, usual []time.Duration) (sum float64) {
	for series, took := range usual {
		waited, n := time.Duration(0), 0.0
		for i := range list {
			if k := flight[i][series]; k > 0 {
				width := list[i].End - list[i].Start
				waited += width
				n += float64(k) * width.Seconds()
			}
		}
		if waited > took {
			sum += n / took.Seconds() // infinite without a good answer
		}
	}
	return sum
}
