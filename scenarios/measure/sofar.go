package measure

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"brunt/scenarios"
)

// SoFar is what closed windows came to, for those who look at a run while it goes on.
// It takes each of them once, so that a look costs as much after an hour as after a
// minute, but for the rows by the second. A recorder that nobody asks has none.
type SoFar struct {
	read    int64            // bytes of the spill file that were taken in
	sums    map[int32][]cell // by phase, then by series
	records []record
	windows []scenarios.Window
	hists   histograms
	done    map[time.Duration]bool // windows that have their rows
}

// Findings composes what the run came to until now, as [Judge] does in the end,
// with less: intervals of objectives, and phases of recovery with what is judged in
// them, are left out. It changes nothing of what Judge gives. Loads are as they are
// planned. Rows of windows are of whole seconds; in those not yet closed more requests
// may be asked for than have ended, as far as [Recorder.Interval] saw.
func (a *SoFar) Findings(r *Recorder, c Case) (out *Findings, err error) {
	err = r.Snapshot(func(s *Snapshot) (err error) {
		out, err = a.findings(s, c)
		return err
	})
	return out, err
}

func (a *SoFar) findings(r *Snapshot, c Case) (*Findings, error) {
	c.Loads = slices.Clone(c.Loads)
	planned := time.Duration(0)
	f := newFinisher(&r.Recording, c)
	for i := range c.Loads {
		l := &c.Loads[i] // of f as well
		planned = max(planned, l.To)
		f.end = max(f.end, floorSecond(min(l.To, r.now)))
		l.To = min(l.To, max(l.From, r.now))
	}
	if a.sums == nil {
		a.sums, a.done = map[int32][]cell{}, map[time.Duration]bool{}
	}
	w := &rows{finisher: f, single: int((planned+c.Warmup)/time.Second)*(len(r.cfg.Steps)+1) <= maxRows}
	f.hists = a.hists.fork()
	if err := a.take(w, r); err != nil {
		return nil, err
	}
	sums := a.compose(f, r)
	a.rows(w, r)
	f.traffic = f.requests()
	for i := range f.faults {
		f.answers = append(f.answers, f.ask(i, f.mainObjective(f.faults[i].Fault)))
	}
	var ps []phase
	var in [][]cell
	for _, p := range f.phases(c.Warmup, f.end, f.answers) {
		n := map[string]int32{"warmup": ofWarmup, "run": ofRun, "baseline": ofBaseline}[p.name]
		if p.of != ofNone {
			if n = int32(p.of); p.name != f.faults[p.of].Name {
				continue
			}
		}
		ps, in = append(ps, p), append(in, sums(n))
		f.out.Phases = append(f.out.Phases, scenarios.Phase{Name: p.name, Start: scenarios.Sec(p.From), End: scenarios.Sec(p.To)})
	}
	for i, oc := range f.faults {
		f.out.Faults = append(f.out.Faults, FaultFinding{Occurrence: oc, Answer: f.told(i), Limit: LimitOf(f.c.SLO, cmp.Or(oc.Name, oc.Fault)), Requests: f.traffic[i]})
	}
	f.table(ps, in)
	f.errorGroups(ps, in)
	f.health(ps, in)
	f.judge(ps, in)
	for i := range f.out.Objectives {
		o := &f.out.Objectives[i]
		if o.Verdict != scenarios.Pass && o.Verdict != scenarios.Fail {
			o.Verdict = scenarios.Pending
			if o.Note == noPhase || o.Note == noFault {
				o.Note = ""
			}
		}
	}
	f.out.Histograms = f.hists
	return f.out, nil
}

// take reads the cells that were spilled since the last time. The cells of a window
// follow each other; a window that was opened again adds to the rows that it has.
func (a *SoFar) take(w *rows, s *Snapshot) error {
	row, at := []*cell(nil), time.Duration(0)
	write := func() {
		if row != nil {
			w.write(at, row)
			a.done[at] = true
		}
		row = nil
	}
	w.out.Windows = a.windows
	read, err := s.cellsFrom(a.read, func(k key, c *cell) error {
		w.phasesOf(k, func(p int32) { a.series(p, w.finisher)[k.series].add(c) })
		a.records = append(a.records, recordOf(k, c))
		if row != nil && at != k.start {
			write()
		}
		if a.done[k.start] && row == nil {
			a.late(w, k, c)
			return nil
		}
		if row == nil {
			row, at = make([]*cell, len(w.cfg.Steps)+len(w.cfg.Loads)), k.start
		}
		if row[k.series] == nil {
			row[k.series] = &cell{}
		}
		row[k.series].add(c)
		return nil
	})
	write()
	a.read, a.windows, a.hists = read, w.out.Windows, *w.hists
	return err
}

// series gives the sums of a phase.
func (a *SoFar) series(phase int32, f *finisher) []cell {
	if a.sums[phase] == nil {
		a.sums[phase] = make([]cell, len(f.cfg.Steps)+len(f.cfg.Loads))
	}
	return a.sums[phase]
}

// late adds the counts of a cell to rows that were written before; their percentiles
// stay as they were.
func (a *SoFar) late(w *rows, k key, c *cell) {
	if int(k.series) >= len(w.cfg.Steps) {
		return
	}
	step := w.cfg.Steps[k.series]
	for i := range w.out.Windows {
		r := &w.out.Windows[i]
		if r.T != scenarios.Sec(k.start) || r.Load != "*" && (r.Load != w.cfg.Loads[step.Load].Name || r.Step != "*" && r.Step != step.Name) {
			continue
		}
		r.Offered += c.offered()
		r.Sent += c.during.sent
		r.Answered += c.during.answered
		r.OK += c.kinds[scenarios.OK]
		r.Shed += c.kinds[scenarios.Shed]
		r.Error += c.kinds[scenarios.Error]
		r.Skipped += c.kinds[scenarios.Skipped]
	}
}

func recordOf(k key, c *cell) record {
	r := record{key: k, Counts: *c.counts(), ended: c.during.ended}
	r.Over = slices.Clone(r.Over)
	return r
}

// compose gives the sums of a phase: those of closed windows, and what the open ones add.
// Folding is held, so that nobody else touches their cells.
func (a *SoFar) compose(f *finisher, r *Snapshot) func(phase int32) []cell {
	type place struct{ phase, series int32 }
	adds := map[place][]*cell{}
	for _, w := range r.open {
		w.each(func(k key, c *cell) {
			c.settle(r.scratch)
			f.phasesOf(k, func(p int32) { adds[place{p, k.series}] = append(adds[place{p, k.series}], c) })
			f.out.Clamped += c.clamped
		})
	}
	return func(phase int32) []cell {
		s := make([]cell, len(f.cfg.Steps)+len(f.cfg.Loads))
		for i := range s {
			list := adds[place{phase, int32(i)}]
			if closed := a.sums[phase]; closed != nil {
				list = append(list, &closed[i])
			}
			s[i].gather(list, r.scratch)
		}
		return s
	}
}

// rows makes the records and rows of all windows, those of closed ones as they are.
func (a *SoFar) rows(w *rows, r *Snapshot) {
	f := w.finisher
	f.records = slices.Clone(a.records)
	f.hists = a.hists.fork()
	f.out.Windows = slices.Clone(a.windows)
	w.done = maps.Clone(a.done)
	for _, o := range r.open {
		if o.start >= floorSecond(r.now) {
			continue
		}
		row := make([]*cell, len(f.cfg.Steps)+len(f.cfg.Loads))
		o.each(func(k key, c *cell) {
			f.records = append(f.records, recordOf(k, c))
			if row[k.series] != nil { // it met other faults
				both := &cell{}
				both.gather([]*cell{row[k.series], c}, r.scratch)
				c = both
			}
			row[k.series] = c
		})
		at := len(f.out.Windows)
		w.write(o.start, row)
		w.done[o.start] = true
		if n := r.asked[o.start]; at < len(f.out.Windows) && o.end-o.start == time.Second {
			f.out.Windows[at].Offered = max(f.out.Windows[at].Offered, n)
		}
	}
	for t := floorSecond(-f.c.Warmup); t < f.end; t += time.Second {
		f.starts = append(f.starts, t)
	}
	for _, m := range f.marks {
		if m < f.end {
			f.starts = append(f.starts, m)
		}
	}
	for t := range w.done {
		f.starts = append(f.starts, t)
	}
	slices.Sort(f.starts)
	f.starts = slices.Compact(f.starts)
	slices.SortStableFunc(f.records, func(a, b record) int { return cmp.Compare(a.start, b.start) })
	w.finish()
}
