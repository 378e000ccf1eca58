package judge

import (
	"cmp"
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
	read    int64                    // bytes of the spill file read so far
	sums    map[int32][]measure.Cell // by phase, then by series
	records []record
	windows []result.Window
	hists   measure.Histograms
	done    map[time.Duration]bool // windows with finished rows
	blocks  []block                // of the case
}

// A block is one of the case's as it stands.
type block struct {
	sums []measure.Cell // by series
	row  *result.Block  // nil: not made, or a cell has come since
}

// Findings computes the findings so far, as [Judge] does at the end. It leaves out the intervals of objectives, and
// phases of recovery with their objectives. It does not affect a later Judge. Loads have their planned times. Blocks
// are those whose requests have all ended. Rows of windows cover whole seconds; in open ones Offered may exceed the
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
	f := newComposer(&r.Recording, c)
	for i := range c.Loads {
		l := &c.Loads[i] // of f as well
		planned = max(planned, l.To)
		f.end = max(f.end, measure.FloorSecond(min(l.To, r.Now)))
		l.To = min(l.To, max(l.From, r.Now))
	}
	if a.sums == nil {
		a.sums, a.done = map[int32][]measure.Cell{}, map[time.Duration]bool{}
		for range c.Blocks {
			a.blocks = append(a.blocks, block{sums: make([]measure.Cell, len(f.Config.Steps)+len(f.Config.Loads))})
		}
	}
	w := &rows{tables: f.tables, single: int((planned+c.Warmup)/time.Second)*(len(r.Config.Steps)+1) <= maxRows}
	f.hists = a.hists.Fork()
	if err := a.take(w, r); err != nil {
		return nil, err
	}
	a.endedBlocks(f.tables, r)
	sums := a.compose(f, r)
	a.rows(w, r)
	f.traffic = f.requests()
	for i := range f.Faults {
		f.answers = append(f.answers, f.ask(i, f.mainObjective(f.Faults[i].Fault)))
	}
	var ps []phase
	var in [][]measure.Cell
	for _, p := range f.phases(c.Warmup, f.end, f.answers) {
		if p.name.Kind == slo.RecoveryPhase || p.name.Kind == slo.RestPhase {
			continue
		}
		ps, in = append(ps, p), append(in, sums(p.number()))
		f.out.Phases = append(f.out.Phases, result.Phase{Name: p.name, Start: result.Sec(p.From), End: result.Sec(p.To)})
	}
	f.slower = slowerSoFar(&f.Config.Series, f.Faults, ps, in)
	for i := range f.Faults {
		f.answers[i] = f.ask(i, f.mainObjective(f.Faults[i].Fault))
	}
	for i, oc := range f.Faults {
		ff := FaultFinding{
			Occurrence: oc, Answer: f.reported(i), Limit: f.c.Limit, Requests: f.traffic[i], Parts: parts(f.effects, i, ps, in),
		}
		ff.SlowLeast, ff.Slow = f.Config.SlowRange()
		f.out.Faults = append(f.out.Faults, ff)
	}
	f.incidentsSoFar()
	f.table(ps, in)
	f.errorGroups(ps, in)
	f.health(ps, in)
	f.judge(ps, in)
	for i := range f.out.Objectives {
		o := &f.out.Objectives[i]
		if o.Phase.Kind == slo.IncidentPhase { // how long the worst lasts is known once the load is over
			o.Verdict, o.Measured, o.Low, o.High, o.Note = scenarios.Pending, result.NaN, result.NaN, result.NaN, ""
		}
		if o.Verdict != scenarios.Pass && o.Verdict != scenarios.Fail {
			o.Verdict = scenarios.Pending
			if o.Why == result.Absent {
				o.Note, o.Why = "", ""
			}
		}
	}
	f.out.Histograms = f.hists
	return f.out, nil
}

// slowerSoFar is whether each occurrence made answers slower, by what is known while the run goes on.
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

// incidentsSoFar lists the incidents without the causes of their errors, which only cells know.
func (f *composer) incidentsSoFar() {
	for _, in := range incidents(f.effects) {
		for i := range f.records {
			in.count(f.effects, f.records[i].Key, &f.records[i].Counts, &f.records[i].edges)
		}
		f.out.Incidents = append(f.out.Incidents, in.row(f.readings))
	}
}

// take reads the cells that were spilled since the last call. The cells of a window follow each
// other; a window that was opened again adds to its existing rows.
func (a *Interim) take(w *rows, s *measure.Snapshot) error {
	row, at := []*measure.Cell(nil), time.Duration(0)
	write := func() {
		if row != nil {
			w.write(at, row)
			a.done[at] = true
		}
		row = nil
	}
	w.out.Windows = a.windows
	read, err := s.CellsFrom(a.read, func(k measure.Key, c *measure.Cell) error {
		w.PhasesOf(k, func(p int32) { a.series(p, w.tables)[k.Series].Add(c) })
		for i, b := range w.c.Blocks {
			if k.Start >= b.From && k.Start < b.To {
				a.blocks[i].sums[k.Series].Add(c)
				a.blocks[i].row = nil
			}
		}
		a.records = append(a.records, recordOf(k, c))
		if row != nil && at != k.Start {
			write()
		}
		if a.done[k.Start] && row == nil {
			a.late(w, k, c)
			return nil
		}
		if row == nil {
			row, at = make([]*measure.Cell, len(w.Config.Steps)+len(w.Config.Loads)), k.Start
		}
		if row[k.Series] == nil {
			row[k.Series] = &measure.Cell{}
		}
		row[k.Series].Add(c)
		return nil
	})
	write()
	a.read, a.windows, a.hists = read, w.out.Windows, *w.hists
	return err
}

// endedBlocks lists the blocks whose requests have all ended, which follow each other. A row that was made is reused.
func (a *Interim) endedBlocks(f *tables, r *measure.Snapshot) {
	for i, p := range f.blockPhases() {
		if !r.Ended(p.From, p.To) {
			break
		}
		b := &a.blocks[i]
		if b.row != nil {
			f.out.Blocks = append(f.out.Blocks, *b.row)
			continue
		}
		f.blockTable([]phase{p}, [][]measure.Cell{b.sums})
		row := f.out.Blocks[i]
		b.row = &row
	}
	a.hists = *f.hists
}

// series returns the sums of a phase.
func (a *Interim) series(phase int32, f *tables) []measure.Cell {
	if a.sums[phase] == nil {
		a.sums[phase] = make([]measure.Cell, len(f.Config.Steps)+len(f.Config.Loads))
	}
	return a.sums[phase]
}

// late adds the counts of a cell to finished rows; their percentiles do not change.
func (a *Interim) late(w *rows, k measure.Key, c *measure.Cell) {
	if int(k.Series) >= len(w.Config.Steps) {
		return
	}
	step := w.Config.Steps[k.Series]
	for i := range w.out.Windows {
		r := &w.out.Windows[i]
		if r.T != result.Sec(k.Start) || r.Step == "*" && !w.Config.InSums(int(k.Series)) ||
			r.Load != "*" && (r.Load != w.Config.Loads[step.Load].Name || r.Step != "*" && r.Step != step.Name) {
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

// compose returns the sums of a phase: those of closed windows plus the open ones. Folding is held,
// so no other goroutine changes their cells.
func (a *Interim) compose(f *composer, r *measure.Snapshot) func(phase int32) []measure.Cell {
	type place struct{ phase, series int32 }
	adds := map[place][]*measure.Cell{}
	for _, w := range r.Open {
		w.Each(func(k measure.Key, c *measure.Cell) {
			c.Settle(r.Scratch)
			f.PhasesOf(k, func(p int32) { adds[place{p, k.Series}] = append(adds[place{p, k.Series}], c) })
			f.out.Clamped += c.Clamped
		})
	}
	return func(phase int32) []measure.Cell {
		s := make([]measure.Cell, len(f.Config.Steps)+len(f.Config.Loads))
		for i := range s {
			list := adds[place{phase, int32(i)}]
			if closed := a.sums[phase]; closed != nil {
				list = append(list, &closed[i])
			}
			s[i].Gather(list, r.Scratch)
		}
		return s
	}
}

// rows makes the records and rows of all windows; those of closed windows are reused.
func (a *Interim) rows(w *rows, r *measure.Snapshot) {
	f := w.tables
	f.records = slices.Clone(a.records)
	f.hists = a.hists.Fork()
	f.out.Windows = slices.Clone(a.windows)
	w.done = maps.Clone(a.done)
	for _, o := range r.Open {
		if o.Start >= measure.FloorSecond(r.Now) {
			continue
		}
		row := make([]*measure.Cell, len(f.Config.Steps)+len(f.Config.Loads))
		o.Each(func(k measure.Key, c *measure.Cell) {
			f.records = append(f.records, recordOf(k, c))
			if row[k.Series] != nil { // another set of faults
				both := &measure.Cell{}
				both.Gather([]*measure.Cell{row[k.Series], c}, r.Scratch)
				c = both
			}
			row[k.Series] = c
		})
		at := len(f.out.Windows)
		w.write(o.Start, row)
		w.done[o.Start] = true
		if n := r.Offered[o.Start]; at < len(f.out.Windows) && o.End-o.Start == time.Second {
			f.out.Windows[at].Offered = max(f.out.Windows[at].Offered, n)
		}
	}
	for t := measure.FloorSecond(-f.c.Warmup); t < f.end; t += time.Second {
		f.starts = append(f.starts, t)
	}
	for _, m := range f.Marks {
		if m < f.end {
			f.starts = append(f.starts, m)
		}
	}
	for t := range w.done {
		f.starts = append(f.starts, t)
	}
	slices.Sort(f.starts)
	f.starts = slices.Compact(f.starts)
	slices.SortStableFunc(f.records, func(a, b record) int { return cmp.Compare(a.Start, b.Start) })
	w.finish()
}
