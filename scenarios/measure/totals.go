package measure

import "time"

// Totals holds the counts of every phase, by series, without distributions. Phases are numbered as
// in PhaseRun.
type Totals map[int32][]Counts

func (t Totals) add(phase int32, series, n int, c *Counts) {
	if t[phase] == nil {
		t[phase] = make([]Counts, n)
	}
	t[phase][series].Merge(c)
}

// totals are the running totals of a recorder.
type totals struct {
	offered int64 // in the judged run
	bad     int64
	closed  Totals                  // of closed windows
	asked   map[time.Duration]int64 // requests offered lately, by second, as Interval saw them
}

// allTotals returns the totals of closed and open windows. Folding and mu are held.
func (r *Recorder) allTotals() Totals {
	out := Totals{}
	for phase, list := range r.closed {
		for i := range list {
			out.add(phase, i, r.windows.series, &list[i])
		}
	}
	for _, w := range r.windows.open {
		w.Each(func(k Key, c *Cell) {
			r.PhasesOf(k, func(p int32) { out.add(p, int(k.Series), r.windows.series, c.Counts()) })
		})
	}
	return out
}
