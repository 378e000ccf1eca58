package judge

import (
	"maps"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// Interim computes findings while a run goes on. It reads each closed window once, so a snapshot
// costs as much after an hour as after a minute, apart from the rows of single seconds. The zero
// value is ready.
type Interim struct {
	read    int64 // bytes of the spill file read so far
	tally   *tally
	windows []result.Window
	hists   measure.Histograms
	done    map[time.Duration]bool // windows with finished rows
	blocks  []*result.Block        // rows of the case's blocks; nil if not made, or if a cell was added since
}

// Findings computes the findings so far, as [Judge] does at the end. It leaves out the intervals of objectives, and
// phases of recovery with their objectives. It does not affect a later Judge. Loads have their planned times. A block
// is listed once all its requests have ended. Rows of windows cover whole seconds; in open ones Offered may exceed the
// number of ended requests, as far as [measure.Recorder.Interval] saw.
func (a *Interim) Findings(r *measure.Recorder, c Case) (out *Findings, err error) {
	err = r.Snapshot(func(s *measure.Snapshot) (err error) {
		out, err = a.findings(s, c)
		return err
	})
	return out, err
}

func (a *Interim) findings(r *measure.Snapshot, c Case) (*Findings, error) {
	c.Loads = slices.Clone(c.Loads)
	planned := time.Duration(0)
	e := newEvaluator(&r.Recording, c)
	for i := range c.Loads {
		l := &c.Loads[i] // the same element as in e
		planned = max(planned, l.To)
		e.read.end = max(e.read.end, measure.FloorSecond(min(l.To, r.Now)))
		l.To = min(l.To, max(l.From, r.Now))
	}
	if a.tally == nil {
		a.tally, a.done = newTally(e.read), map[time.Duration]bool{}
		a.blocks = make([]*result.Block, len(c.Blocks))
	}
	seconds := int((planned + c.Warmup) / time.Second)
	w := &rows{read: e.read, tables: e.tables, single: seconds*(len(r.Config.Steps)+1) <= maxRows}
	e.tables.hists = a.hists.Fork()
	if err := a.readOn(w, r); err != nil {
		return nil, err
	}
	a.endedBlocks(e.tables, r)
	sumsOf := a.sums(e, r)
	a.rows(e, w, r)
	e.answer()
	var ps []phase
	var sums [][]measure.Cell
	for _, p := range e.effects.phases() {
		if p.numbered() {
			ps, sums = append(ps, p), append(sums, sumsOf(p.number()))
		}
	}
	e.effects.slow = map[selected]*slowness{{}: {slower: slowerSoFar(&e.read.Config.Series, e.read.Faults, ps, sums)}}
	e.effects.incidents = incidents(e.effects)
	e.effects.countIncidents()
	e.report(ps, sums)
	for i := range e.out.Objectives {
		o := &e.out.Objectives[i]
		if o.Phase.Kind == slo.IncidentPhase { // the length of the worst incident is known when the load is over
			o.Verdict, o.Measured, o.Low, o.High, o.Because = scenarios.Pending, result.NaN, result.NaN, result.NaN, nil
		}
		if o.Verdict != scenarios.Pass && o.Verdict != scenarios.Fail {
			o.Verdict = scenarios.Pending
			if o.Why == result.Absent {
				o.Because, o.Why = nil, ""
			}
		}
		o.Say()
	}
	return e.out, nil
}

// slowerSoFar answers for each occurrence whether it made answers slower, from the sums so far.
func slowerSoFar(
	c *measure.Series, faults []measure.Occurrence, ps []phase, sums [][]measure.Cell,
) (out []requests.Slowdown) {
	of := func(name slo.Phase) []measure.Cell {
		if i := phaseOf(ps, name); i >= 0 {
			return sums[i]
		}
		return make([]measure.Cell, len(c.Steps))
	}
	for i := range faults {
		out = append(out, requests.SlowdownSoFar(c, of(slo.Phase{Kind: slo.BaselinePhase}), of(faults[i].Phase())))
	}
	return out
}

// countIncidents counts the requests in incidents, without the causes of errors, which only cells have.
func (f *effects) countIncidents() {
	for _, in := range f.incidents {
		for i := range f.read.records {
			in.count(f, f.read.records[i].Key, &f.read.records[i].Counts, &f.read.records[i].edges)
		}
	}
}

// readOn reads the cells that were spilled since the last call. The cells of a window are consecutive. A window that
// was opened again adds to its existing rows.
func (a *Interim) readOn(w *rows, s *measure.Snapshot) error {
	row, at := []*measure.Cell(nil), time.Duration(0)
	write := func() {
		if row != nil {
			w.write(at, row)
			a.done[at] = true
		}
		row = nil
	}
	w.tables.out.Windows = a.windows
	read, err := s.CellsFrom(a.read, func(k measure.Key, c *measure.Cell) error {
		a.tally.add(&s.Recording, w.read.c.Blocks, k, c)
		for i, b := range w.read.c.Blocks {
			if inSpan(b, k) {
				a.blocks[i] = nil
			}
		}
		if row != nil && at != k.Start {
			write()
		}
		if a.done[k.Start] && row == nil {
			a.late(w, k, c)
			return nil
		}
		if row == nil {
			row, at = make([]*measure.Cell, len(w.read.Config.Steps)+len(w.read.Config.Loads)), k.Start
		}
		if row[k.Series] == nil {
			row[k.Series] = &measure.Cell{}
		}
		row[k.Series].Add(c)
		return nil
	})
	write()
	a.read, a.windows, a.hists = read, w.tables.out.Windows, *w.tables.hists
	return err
}

// endedBlocks lists the blocks whose requests have all ended, in order. It reuses rows that were already made.
func (a *Interim) endedBlocks(f *tables, r *measure.Snapshot) {
	for i, p := range f.blockPhases() {
		if !r.Ended(p.From, p.To) {
			break
		}
		if row := a.blocks[i]; row != nil {
			f.out.Blocks = append(f.out.Blocks, *row)
			continue
		}
		f.blockTable([]phase{p}, a.tally.blocks[i:i+1])
		row := f.out.Blocks[i]
		a.blocks[i] = &row
	}
	a.hists = *f.hists
}

// late adds the counts of a cell to finished rows; their percentiles do not change.
func (a *Interim) late(w *rows, k measure.Key, c *measure.Cell) {
	if int(k.Series) >= len(w.read.Config.Steps) {
		return
	}
	step := w.read.Config.Steps[k.Series]
	for i := range w.tables.out.Windows {
		r := &w.tables.out.Windows[i]
		if r.T != result.Sec(k.Start) || r.Step == "*" && !w.read.Config.InSums(int(k.Series)) ||
			r.Load != "*" && (r.Load != w.read.Config.Loads[step.Load].Name || r.Step != "*" && r.Step != step.Name) {
			continue
		}
		r.Offered += c.Offered()
		r.Sent += c.During.Sent
		r.Answered += c.During.Answered
		r.OK += c.Kinds[scenarios.OK]
		r.Shed += c.Kinds[scenarios.Shed]
		r.Error += c.Kinds[scenarios.Error]
		r.Skipped += c.Kinds[scenarios.Skipped]
	}
}

// sums returns the sums of a phase over closed and open windows. Folding is held, so no other goroutine changes their
// cells.
func (a *Interim) sums(e *evaluator, r *measure.Snapshot) func(phase int32) []measure.Cell {
	type place struct{ phase, series int32 }
	adds := map[place][]*measure.Cell{}
	for _, w := range r.Open {
		w.Each(func(k measure.Key, c *measure.Cell) {
			c.Settle(r.Scratch)
			e.read.PhasesOf(k, func(p int32) { adds[place{p, k.Series}] = append(adds[place{p, k.Series}], c) })
			e.out.Clamped += c.Clamped
		})
	}
	return func(phase int32) []measure.Cell {
		s := newCells(&e.read.Config)
		for i := range s {
			list := adds[place{phase, int32(i)}]
			if closed := a.tally.sums[phase]; closed != nil {
				list = append(list, &closed[i])
			}
			s[i].Gather(list, r.Scratch)
		}
		return s
	}
}

// rows makes the records and rows of all windows. It reuses the rows of closed windows.
func (a *Interim) rows(e *evaluator, w *rows, r *measure.Snapshot) {
	records := slices.Clone(a.tally.records)
	e.tables.hists = a.hists.Fork()
	e.out.Windows = slices.Clone(a.windows)
	w.done = maps.Clone(a.done)
	for _, o := range r.Open {
		if o.Start >= measure.FloorSecond(r.Now) {
			continue
		}
		row := make([]*measure.Cell, len(e.read.Config.Steps)+len(e.read.Config.Loads))
		o.Each(func(k measure.Key, c *measure.Cell) {
			records = append(records, recordOf(k, c))
			if row[k.Series] != nil { // a cell of the same series with another set of faults
				both := &measure.Cell{}
				both.Gather([]*measure.Cell{row[k.Series], c}, r.Scratch)
				c = both
			}
			row[k.Series] = c
		})
		at := len(e.out.Windows)
		w.write(o.Start, row)
		w.done[o.Start] = true
		if n := r.Offered[o.Start]; at < len(e.out.Windows) && o.End-o.Start == time.Second {
			e.out.Windows[at].Offered = max(e.out.Windows[at].Offered, n)
		}
	}
	e.read.take(records)
	w.finish()
}
