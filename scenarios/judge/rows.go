package judge

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// maxRows is the maximum number of rows of single loads and steps in a result. Above it, several windows share a row;
// the sums over all loads keep one row per second.
const maxRows = 20_000

// rows makes the rows of windows. A row is written when the last cell of its window is read, because an iteration may
// end long after the window in which it was intended.
type rows struct {
	read   *readings
	tables *tables                           // the tables that the rows are added to
	open   map[time.Duration][]*measure.Cell // by series
	done   map[time.Duration]bool
	lasts  map[time.Duration]int    // by start: number of the last cell of a window
	groups map[time.Duration]*group // groups of windows, by the start of each window
	single bool                     // a window without a group makes rows of single loads and steps by itself
}

// group is a sequence of windows that share one row for each load and step. No fault is injected or cleared within
// it.
type group struct {
	start, end time.Duration
	left       int             // windows still missing
	cells      []*measure.Cell // by series
}

// newRows returns rows to which every cell of a recording is added. lasts has the number of the last cell of each
// window.
func (f *tables) newRows(lasts map[time.Duration]int) *rows {
	w := &rows{
		read: f.read, tables: f, open: map[time.Duration][]*measure.Cell{}, done: map[time.Duration]bool{}, lasts: lasts,
		groups: map[time.Duration]*group{},
	}
	each := len(f.read.Config.Steps) + len(f.mixed())
	seconds := max(1, (len(f.read.starts)*each+maxRows-1)/maxRows)
	if seconds > 1 {
		f.out.Notes = append(f.out.Notes,
			fmt.Sprintf("windows of single steps are up to %d s long in result.json, as there would be "+
				"more than 20 000 of 1 s", seconds))
	}
	var g *group
	for _, start := range f.read.starts {
		if g == nil || measure.FloorSecond(start)-measure.FloorSecond(g.start) >= time.Duration(seconds)*time.Second ||
			start%time.Second != 0 {
			g = &group{start: start, cells: make([]*measure.Cell, len(f.read.Config.Steps))}
		}
		g.left++
		g.end = f.read.EndOf(start)
		w.groups[start] = g
	}
	return w
}

// mixed returns the loads that have rows of their own: their steps together are neither a single step nor the whole
// run.
func (f *tables) mixed() []int {
	var out []int
	all := 0
	for i := range f.read.Config.Loads {
		all += len(f.stepsOf(i))
	}
	for i := range f.read.Config.Loads {
		if n := len(f.stepsOf(i)); n > 1 && n < all {
			out = append(out, i)
		}
	}
	return out
}

// stepsOf returns the series of a load's steps, without series of parts.
func (f *tables) stepsOf(load int) []int {
	var out []int
	for i, s := range f.read.Config.Steps {
		if s.Load == load && f.read.Config.InSums(i) {
			out = append(out, i)
		}
	}
	return out
}

// add adds the n-th cell of all.
func (w *rows) add(n int, k measure.Key, c *measure.Cell) {
	row := w.open[k.Start]
	if row == nil {
		row = make([]*measure.Cell, len(w.read.Config.Steps)+len(w.read.Config.Loads))
		w.open[k.Start] = row
	}
	if row[k.Series] == nil {
		row[k.Series] = &measure.Cell{}
	}
	row[k.Series].Add(c)
	if n == w.lasts[k.Start] {
		w.write(k.Start, row)
		w.done[k.Start] = true
		delete(w.open, k.Start)
	}
}

// finish writes the windows without events.
func (w *rows) finish() {
	for _, start := range w.read.starts {
		if !w.done[start] {
			w.write(start, nil)
		}
	}
	slices.SortStableFunc(w.tables.out.Windows, func(a, b result.Window) int { return cmp.Compare(a.T, b.T) })
	last := int64(0)
	for i := range w.tables.out.Windows { // a short window may have no sample of the iterations in flight
		switch row := &w.tables.out.Windows[i]; {
		case row.InFlight == unseen:
			row.InFlight = last
		case row.Load == "*":
			last = row.InFlight
		}
	}
}

// unseen marks a window without a sample of the iterations in flight.
const unseen = -1

func (w *rows) write(start time.Duration, row []*measure.Cell) {
	all := &measure.Cell{}
	waits := &measure.Cell{}
	for i, c := range row {
		switch {
		case c == nil:
		case i >= len(w.read.Config.Steps):
			waits.AddWaits(c)
		case w.read.Config.InSums(i):
			all.Add(c)
		}
	}
	w.row(start, w.read.EndOf(start), "*", "*", all, waits)
	g := w.groups[start]
	if g == nil && w.single {
		g = &group{start: start, end: w.read.EndOf(start), left: 1}
		g.cells = make([]*measure.Cell, len(w.read.Config.Steps))
	}
	if g != nil {
		w.gather(g, row)
	}
}

// gather adds a window to its group, and writes the rows of a complete group.
func (w *rows) gather(g *group, row []*measure.Cell) {
	for i, c := range row[:min(len(row), len(w.read.Config.Steps))] {
		switch {
		case c == nil:
		case g.cells[i] == nil:
			g.cells[i] = c
		default:
			g.cells[i].Add(c)
		}
	}
	if g.left--; g.left > 0 {
		return
	}
	for _, load := range w.tables.mixed() {
		sum := &measure.Cell{}
		for _, i := range w.tables.stepsOf(load) {
			if c := g.cells[i]; c != nil {
				sum.Add(c)
			}
		}
		if sum.Offered() > 0 || sum.During != (measure.Events{}) {
			w.row(g.start, g.end, w.read.Config.Loads[load].Name, "*", sum, &measure.Cell{})
		}
	}
	for i, c := range g.cells {
		if c != nil {
			s := w.read.Config.Steps[i]
			w.row(g.start, g.end, w.read.Config.Loads[s.Load].Name, s.Name, c, &measure.Cell{})
		}
	}
	g.cells = nil
}

func (w *rows) row(start, end time.Duration, load, step string, c, waits *measure.Cell) {
	if c.Offered() == 0 && c.During == (measure.Events{}) && (load != "*" || start >= w.read.end) {
		return // nothing happened, as in the grace period after the load
	}
	row := result.Window{
		T: result.Sec(start), D: result.Sec(end - start), Load: load, Step: step,
		Offered: c.Offered(), Sent: c.During.Sent, Answered: c.During.Answered, OK: c.Kinds[scenarios.OK],
		Shed:  c.Kinds[scenarios.Shed],
		Error: c.Kinds[scenarios.Error], Skipped: c.Kinds[scenarios.Skipped],
		Lag: waits.Lag.Quantile(.99), Queue: waits.Queue.Quantile(.99), Max: result.NaN,
	}
	s := &requests.Sum{Counts: *c.CountsWithTimes()}
	m := slo.Metric{Name: "p"}
	row.P50, row.P95, row.P99 = result.Num(s.Quantile(m, .5)), result.Num(s.Quantile(m, .95)),
		result.Num(s.Quantile(m, .99))
	if c.Offered() > c.Kinds[scenarios.Skipped] {
		row.Max = result.Sec(max(c.Response[scenarios.OK].Most, c.Response[scenarios.Error].Most,
			c.Response[scenarios.Shed].Most))
	}
	for _, n := range c.Causes {
		if row.Kinds == nil {
			row.Kinds = map[string]int64{}
		}
		row.Kinds[w.read.c.Causes.Name(n.Cause)] += n.N
	}
	if load == "*" {
		row.InFlight = unseen
		if n, ok := w.read.InFlight[start]; ok {
			row.InFlight = n
		}
		row.Hist = w.tables.hists.Put(c.Observed(), start, end-start)
	}
	w.tables.out.Windows = append(w.tables.out.Windows, row)
}
