package measure

import (
	"cmp"
	"slices"
	"time"

	"brunt/scenarios"
)

// maxRows bounds the rows of single steps in a result; beyond it only the sums
// over all steps are kept by the second.
const maxRows = 20_000

// rows makes the rows of windows. A window is written with the last cell that it
// has: an iteration may end long after the window that it was intended in.
type rows struct {
	*finisher
	open   map[time.Duration][]*cell // by series
	done   map[time.Duration]bool
	single bool // rows of single steps as well
}

func (f *finisher) newRows() *rows {
	w := &rows{finisher: f, open: map[time.Duration][]*cell{}, done: map[time.Duration]bool{}, single: len(f.starts)*(len(f.cfg.Steps)+1) <= maxRows}
	if !w.single {
		f.out.Notes = append(f.out.Notes, "windows of single steps are left out of result.json, as there are more than 20 000")
	}
	return w
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
	w.row(start, "*", "*", all, waits)
	if !w.single {
		return
	}
	for i, c := range row {
		if c != nil && i < len(w.cfg.Steps) {
			s := w.cfg.Steps[i]
			w.row(start, w.cfg.Loads[s.Load].Name, s.Name, c, &cell{})
		}
	}
}

// addWaits takes over lag and queue of d.
func (c *cell) addWaits(d *cell) {
	c.lag.merge(&d.lag.tally)
	c.queue.merge(&d.queue.tally)
	c.lag.most, c.queue.most = max(c.lag.most, d.lag.most), max(c.queue.most, d.queue.most)
}

func (w *rows) row(start time.Duration, load, step string, c, waits *cell) {
	if c.offered() == 0 && c.during == (events{}) && (load != "*" || start >= w.end) {
		return // nothing happened; as in the grace after the load
	}
	row := scenarios.Window{
		T: scenarios.Sec(start), D: scenarios.Sec(w.endOf(start) - start), Load: load, Step: step,
		Offered: c.offered(), Sent: c.during.sent, Answered: c.during.answered, OK: c.kinds[scenarios.OK], Shed: c.kinds[scenarios.Shed],
		Error: c.kinds[scenarios.Error], Skipped: c.kinds[scenarios.Skipped],
		Lag: waits.lag.quantile(.99), Queue: waits.queue.quantile(.99), Max: scenarios.NaN,
	}
	s := c.asSum()
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
		row.Hist = w.hists.put(c.observed(), start, w.endOf(start)-start)
	}
	w.out.Windows = append(w.out.Windows, row)
}

// observed is the distribution of the response times of all requests that came to
// an end, good or not.
func (c *cell) observed() *tally {
	t := &tally{}
	for i := range c.response {
		t.merge(&c.response[i].tally)
	}
	return t
}

// quantile is the value at quantile q in seconds; NaN where there is none.
func (t *times) quantile(q float64) scenarios.Num {
	if t.total == 0 {
		return scenarios.NaN
	}
	return scenarios.Num(t.valueAt(rank(q, t.total), t.most))
}
