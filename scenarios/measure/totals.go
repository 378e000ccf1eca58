package measure

import (
	"slices"
	"time"

	"brunt/scenarios/slo"
)

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
	closed  Totals                  // totals of closed windows
	asked   map[time.Duration]int64 // requests offered lately, by second, as Interval saw them
}

// allTotals returns the totals of closed and open windows. The caller holds folding and mu.
func (r *Recorder) allTotals() Totals {
	out := Totals{}
	for phase, list := range r.closed {
		for i := range list {
			out.add(phase, i, r.windows.series, &list[i])
		}
	}
	for _, w := range r.windows.open {
		w.Each(func(k Key, c *Cell) {
			r.PhasesOf(k, func(p int32) {
				if r.totaled(p) {
					out.add(p, int(k.Series), r.windows.series, c.Counts())
				}
			})
		})
	}
	return out
}

// totaled reports whether running totals of a phase are kept. Not all are, because a run may have thousands of
// phases. The caller holds mu.
func (r *Recorder) totaled(phase int32) bool {
	switch {
	case phase == PhaseRun:
		return slices.Contains(r.cfg.Totals, slo.Phase{Kind: slo.RunPhase})
	case phase == PhaseBaseline:
		return slices.Contains(r.cfg.Totals, slo.Phase{Kind: slo.BaselinePhase})
	case phase < 0:
		return false
	}
	f := &r.Faults[phase]
	in := f.Phase()
	return f.Name != "" && slices.ContainsFunc(r.cfg.Totals, func(p slo.Phase) bool { return p.Includes(in) })
}
