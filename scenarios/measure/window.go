package measure

import (
	"cmp"
	"slices"
	"time"
)

// A Window is a second of intended time, or a part of a second that injections or clearings cut off, with the cells
// of the requests intended in it.
type Window struct {
	Start, End time.Duration
	second     time.Duration // begin of the second that the window is a part of
	late       time.Duration // the largest lag so far of a request intended in it
	sets       []setCells
}

// setCells holds the cells of requests that met the same faults.
type setCells struct {
	set   int32
	cells []*Cell // by series; nil where there is none
}

// windows holds the open windows and the instants that cut them.
type windows struct {
	series int
	marks  []time.Duration // instants at which windows are cut, ascending
	open   []*Window       // ascending
	last   *Window         // the window found last; nil at first
	spare  []*Window       // for reuse
	cells  [][]*Cell       // by series, for reuse
}

// cut begins a window at at. No request counted so far may be intended at or after at.
func (w *windows) cut(at time.Duration) {
	i, found := slices.BinarySearch(w.marks, at)
	if found {
		return
	}
	w.marks = slices.Insert(w.marks, i, at)
	if i, found := w.search(at); !found && i > 0 {
		w.open[i-1].End = min(w.open[i-1].End, at)
	}
}

// search returns the index of the open window that begins at start.
func (w *windows) search(start time.Duration) (int, bool) {
	return slices.BinarySearchFunc(w.open, start, func(o *Window, t time.Duration) int { return cmp.Compare(o.Start, t) })
}

// at returns the window that contains t. It opens a closed window again: that window then has
// several cells of one key, which Finish adds up.
func (w *windows) at(t time.Duration) *Window {
	if l := w.last; l != nil && t >= l.Start && t < l.End {
		return l
	}
	i, found := w.search(t)
	if !found {
		i--
	}
	if i < 0 || t >= w.open[i].End {
		i++
		w.open = slices.Insert(w.open, i, w.fresh(t))
	}
	w.last = w.open[i]
	return w.last
}

// near returns the window that contains t. It is faster if that is o.
func (w *windows) near(o *Window, t time.Duration) *Window {
	if t >= o.Start && t < o.End {
		return o
	}
	return w.at(t)
}

func (w *windows) fresh(t time.Duration) *Window {
	var o *Window
	if n := len(w.spare); n > 0 {
		o, w.spare = w.spare[n-1], w.spare[:n-1]
	} else {
		o = &Window{}
	}
	o.Start, o.End = bounds(t, w.marks)
	o.second, o.late = FloorSecond(o.Start), 0
	return o
}

// bounds returns the start and end of the window that contains t.
func bounds(t time.Duration, marks []time.Duration) (start, end time.Duration) {
	start = FloorSecond(t)
	end = start + time.Second
	i, found := slices.BinarySearch(marks, t)
	if found {
		i++
	}
	if i > 0 {
		start = max(start, marks[i-1])
	}
	if i < len(marks) {
		end = min(end, marks[i])
	}
	return start, end
}

// FloorSecond returns the last whole second at or before t. For a negative t, that is further from zero.
func FloorSecond(t time.Duration) time.Duration { return floorSecond(t) }

// cell returns the cell of the window for a series and a set of faults.
func (w *windows) cell(o *Window, series int, set int32) *Cell {
	row := w.row(o, set)
	c := row[series]
	if c == nil {
		if w.cells == nil {
			w.cells = make([][]*Cell, w.series)
		}
		if spare := w.cells[series]; len(spare) > 0 {
			c, w.cells[series] = spare[len(spare)-1], spare[:len(spare)-1]
		} else {
			c = &Cell{}
		}
		row[series] = c
	}
	return c
}

func (w *windows) row(o *Window, set int32) []*Cell {
	for i := range o.sets {
		if o.sets[i].set == set {
			return o.sets[i].cells
		}
	}
	if n := len(o.sets); n < cap(o.sets) { // reuse the memory
		o.sets = o.sets[:n+1]
		o.sets[n].set = set
		if o.sets[n].cells == nil {
			o.sets[n].cells = make([]*Cell, w.series)
		}
	} else {
		o.sets = append(o.sets, setCells{set, make([]*Cell, w.series)})
	}
	return o.sets[len(o.sets)-1].cells
}

// close removes the windows that ended before horizon.
func (w *windows) close(horizon time.Duration, into []*Window) []*Window {
	n := 0
	for n < len(w.open) && w.open[n].End < horizon {
		n++
	}
	if n == 0 {
		return into
	}
	into = append(into, w.open[:n]...)
	w.open = slices.Delete(w.open, 0, n)
	w.last = nil
	return into
}

// free recycles a closed window and its cells.
func (w *windows) free(o *Window) {
	for _, s := range o.sets {
		for i, c := range s.cells {
			if c != nil {
				c.trim()
				c.reset()
				w.cells[i] = append(w.cells[i], c)
				s.cells[i] = nil
			}
		}
	}
	o.sets = o.sets[:0]
	w.spare = append(w.spare, o)
}

// Each calls do for each cell of a window.
func (o *Window) Each(do func(k Key, c *Cell)) {
	for _, s := range o.sets {
		for series, c := range s.cells {
			if c != nil {
				do(Key{o.Start, int32(series), s.set}, c)
			}
		}
	}
}
