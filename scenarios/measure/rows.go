package measure

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"brunt/scenarios"
)

// maxRows bounds the rows of single loads and steps in a result. Where there would be
// more, several windows become one of them; the sums over all are kept by the second.
const maxRows = 20_000

// rows makes the rows of windows. A window is written with the last cell that it
// has: an iteration may end long after the window that it was intended in.
type rows struct {
	*finisher
	open   map[time.Duration][]*cell // by series
	done   map[time.Duration]bool
	groups map[time.Duration]*group // of windows, by the beginning of each of them
	single bool                     // a window of no group makes rows of single loads and steps by itself
}

// group is a stretch of windows that make one row of each load and step. It reaches
// over no instant at which a fault came or went.
type group struct {
	start, end time.Duration
	left       int     // windows that are not in it yet
	cells      []*cell // by series
}

func (f *finisher) newRows() *rows {
	w := &rows{finisher: f, open: map[time.Duration][]*cell{}, done: map[time.Duration]bool{}, groups: map[time.Duration]*group{}}
	each := len(f.cfg.Steps) + len(f.mixed())
	seconds := max(1, (len(f.starts)*each+maxRows-1)/maxRows)
	if seconds > 1 {
		f.out.Notes = append(f.out.Notes, fmt.Sprintf("windows of single steps are up to %d s long in result.json, as there would be more than 20 000 of 1 s", seconds))
	}
	var g *group
	for _, start := range f.starts {
		if g == nil || floorSecond(start)-floorSecond(g.start) >= time.Duration(seconds)*time.Second || start%time.Second != 0 {
			g = &group{start: start, cells: make([]*cell, len(f.cfg.Steps))}
		}
		g.left++
		g.end = f.endOf(start)
		w.groups[start] = g
	}
	return w
}

// mixed are the loads whose steps, put together, are neither one step nor the whole
// run: they have rows of their own.
func (f *finisher) mixed() []int {
	var out []int
	for i := range f.cfg.Loads {
		if n := f.stepsOf(i); len(n) > 1 && len(n) < len(f.cfg.Steps) {
			out = append(out, i)
		}
	}
	return out
}

// stepsOf are the series of a load's steps.
func (f *finisher) stepsOf(load int) []int {
	var out []int
	for i, s := range f.cfg.Steps {
		if s.Load == load {
			out = append(out, i)
		}
	}
	return out
}

// add takes the n-th cell of all.
func (w *rows) add(n int, k key, c *cell) {
	row := w.open[k.start]
	if row == nil {
		row = make([]*cell, len(w.cfg.Steps)+len(w.cfg.Loads))
		w.open[k.start] = row
	}
	if row[k.series] == nil {
		row[k.series] = &cell{}
	}
	row[k.series].add(c)
	if n == w.lasts[k.start] {
		w.write(k.start, row)
		w.done[k.start] = true
		delete(w.open, k.start)
	}
}

// finish writes the windows in which nothing happened.
func (w *rows) finish() {
	for _, start := range w.starts {
		if !w.done[start] {
			w.write(start, nil)
		}
	}
	slices.SortStableFunc(w.out.Windows, func(a, b scenarios.Window) int { return cmp.Compare(a.T, b.T) })
	last := int64(0)
	for i := range w.out.Windows { // a short window may not have been looked at
		switch row := &w.out.Windows[i]; {
		case row.InFlight == unseen:
			row.InFlight = last
		case row.Load == "*":
			last = row.InFlight
		}
	}
}

// unseen is how many iterations are under way in a window in which nobody looked.
const unseen = -1

func (w *rows) write(start time.Duration, row []*cell) {
	all := &cell{}
	waits := &cell{}
	for i, c := range row {
		switch {
		case c == nil:
		case i >= len(w.cfg.Steps):
			waits.addWaits(c)
		default:
			all.add(c)
		}
	}
	w.row(start, w.endOf(start), "*", "*", all, waits)
	g := w.groups[start]
	if g == nil && w.single {
		g = &group{start: start, end: w.endOf(start), left: 1, cells: make([]*cell, len(w.cfg.Steps))}
	}
	if g != nil {
		w.gather(g, row)
	}
}

// gather adds a window to its group, and writes the rows of a group that is whole.
func (w *rows) gather(g *group, row []*cell) {
	for i, c := range row[:min(len(row), len(w.cfg.Steps))] {
		switch {
		case c == nil:
		case g.cells[i] == nil:
			g.cells[i] = c
		default:
			g.cells[i].add(c)
		}
	}
	if g.left--; g.left > 0 {
		return
	}
	for _, load := range w.mixed() {
		sum := &cell{}
		for _, i := range w.stepsOf(load) {
			if c := g.cells[i]; c != nil {
				sum.add(c)
			}
		}
		if sum.offered() > 0 || sum.during != (events{}) {
			w.row(g.start, g.end, w.cfg.Loads[load].Name, "*", sum, &cell{})
		}
	}
	for i, c := range g.cells {
		if c != nil {
			s := w.cfg.Steps[i]
			w.row(g.start, g.end, w.cfg.Loads[s.Load].Name, s.Name, c, &cell{})
		}
	}
	g.cells = nil
}

func (w *rows) row(start, end time.Duration, load, step string, c, waits *cell) {
	if c.offered() == 0 && c.during == (events{}) && (load != "*" || start >= w.end) {
		return // nothing happened; as in the grace after the load
	}
	row := scenarios.Window{
		T: scenarios.Sec(start), D: scenarios.Sec(end - start), Load: load, Step: step,
		Offered: c.offered(), Sent: c.during.sent, Answered: c.during.answered, OK: c.kinds[scenarios.OK], Shed: c.kinds[scenarios.Shed],
		Error: c.kinds[scenarios.Error], Skipped: c.kinds[scenarios.Skipped],
		Lag: waits.lag.quantile(.99), Queue: waits.queue.quantile(.99), Max: scenarios.NaN,
	}
	s := &sum{Counts: *c.asSum()}
	m := scenarios.Metric{Name: "p"}
	row.P50, row.P95, row.P99 = scenarios.Num(s.quantile(m, .5)), scenarios.Num(s.quantile(m, .95)), scenarios.Num(s.quantile(m, .99))
	if c.offered() > c.kinds[scenarios.Skipped] {
		row.Max = scenarios.Sec(max(c.response[scenarios.OK].most, c.response[scenarios.Error].most, c.response[scenarios.Shed].most))
	}
	for _, n := range c.causes {
		if row.Kinds == nil {
			row.Kinds = map[string]int64{}
		}
		row.Kinds[n.cause.Name(w.c.Checks)] += n.n
	}
	if load == "*" {
		row.InFlight = unseen
		if n, ok := w.flight[start]; ok {
			row.InFlight = n
		}
		row.Hist = w.hists.put(c.observed(), start, end-start)
	}
	w.out.Windows = append(w.out.Windows, row)
}
