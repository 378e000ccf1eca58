package measure

// Totals holds the counts of every phase, by series, without distributions. Phases are numbered as
// in PhaseRun.
type Totals map[int32][]Counts

func (t Totals) add(phase int32, series, n int, c *Counts) {
	if t[phase] == nil {
		t[phase] = make([]Counts, n)
	}
	t[phase][series].Merge(c)
}

// totals returns the totals of closed and open windows. Folding and mu are held.
func (r *Recorder) totals() Totals {
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
