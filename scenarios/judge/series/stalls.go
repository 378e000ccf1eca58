// In a stall of the target requests are in flight and none ends. It is told from requests that take as long as ever.
//
//	windows, records by series --Clear--> windows of which only those of a stall have requests in flight and none that ended

package series

import (
	"slices"
	"time"

	"brunt/scenarios/judge/effect"
)

// LeastStall is the least time for which a user of a closed load waits in a stall. Shorter times are what
// the target takes: users of a real service wait for those as well.
const LeastStall = time.Second

// StallOfFailures is the least time for which a user of a load waits in a stall before its request fails: nine tenths
// of the load's timeout, where that is shorter than a stall; zero is unknown. One that is refused at once is no wait.
func StallOfFailures(timeout time.Duration) time.Duration {
	if timeout > 0 {
		return min(LeastStall, timeout/10*9)
	}
	return LeastStall
}

// fewest is how many requests would usually have ended in the time of a stall: that none of so many does is chance
// once in a million times.
const fewest = 14

// A StallRecord counts requests of a series that were due in a window, and what happened in that window to any of the
// series.
type StallRecord struct {
	Series int32
	Ready  int64         // became ready to be sent in the window
	Ended  int64         // ended in it
	Good   int64         // good answers to those that were due in it
	Took   time.Duration // sum of their response times
}

// ClearStalls leaves no request in flight in the stretches of windows that are no stall: those in which requests are in
// flight and none ends, but usually none would, for the stretch is no longer than good answers of their series take in
// the mean, or too few are in flight. First is the first record of each window, and last their number; of returns a
// record, and whether it counts.
//
// The rate at which requests end at other times does not tell it: a load may ramp down to one user, or follow a
// faster one, and users who begin together wait together.
func ClearStalls(windows []effect.Slice, first []int, series int, of func(record int) (StallRecord, bool)) {
	// by series: in flight as a window begins in which none ends
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

// missed is how many requests would usually have ended in a stretch, of the series whose answers usually take less.
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
			sum += n / took.Seconds() // without a good answer it is infinite
		}
	}
	return sum
}
