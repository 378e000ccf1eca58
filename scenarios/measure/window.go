package measure

import (
	"cmp"
	"slices"
	"time"
)

// A window is a second of intended time, or the part of one between two instants
// of injection or clearing, with the cells of the requests intended in it.
type window struct {
	start, end time.Duration
	sets       []setCells
}

// setCells are the cells of requests that met the same faults.
type setCells struct {
	set   int32
	cells []*cell // by series; nil where there is none
}

// windows are those that are open, and the instants that cut them.
type windows struct {
	series int
	marks  []time.Duration // where windows are cut, in order
	open   []*window       // in order
	last   *window         // found last; nil at first
	spare  []*window       // to be used again
	cells  []*cell         // to be used again
}

// cut makes a window begin at at, which no request counted so far was intended at
// or after.
func (w *windows) cut(at time.Duration) {
	i, found := slices.BinarySearch(w.marks, at)
	if found {
		return
	}
	w.marks = slices.Insert(w.marks, i, at)
	if i, found := w.search(at); !found && i > 0 {
		w.open[i-1].end = min(w.open[i-1].end, at)
	}
}

// search gives the place of the open window that begins at start.
func (w *windows) search(start time.Duration) (int, bool) {
	return slices.BinarySearchFunc(w.open, start, func(o *window, t time.Duration) int { return cmp.Compare(o.start, t) })
}

// at gives the window that t lies in. It is opened again if it was closed: then it
// comes to several cells of one key, which are summed up in the end.
func (w *windows) at(t time.Duration) *window {
	if l := w.last; l != nil && t >= l.start && t < l.end {
		return l
	}
	i, found := w.search(t)
	if !found {
		i--
	}
	if i < 0 || t >= w.open[i].end {
		i++
		w.open = slices.Insert(w.open, i, w.fresh(t))
	}
	w.last = w.open[i]
	return w.last
}

func (w *windows) fresh(t time.Duration) *window {
	var o *window
	if n := len(w.spare); n > 0 {
		o, w.spare = w.spare[n-1], w.spare[:n-1]
	} else {
		o = &window{}
	}
	o.start, o.end = bounds(t, w.marks)
	return o
}

// bounds are begin and end of the window that t lies in.
func bounds(t time.Duration, marks []time.Duration) (start, end time.Duration) {
	start = floorSecond(t)
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

func floorSecond(t time.Duration) time.Duration {
	s := t.Truncate(time.Second)
	if s > t {
		s -= time.Second
	}
	return s
}

// cell gives the cell of the window for a series and a set of faults.
func (w *windows) cell(o *window, series int, set int32) *cell {
	row := w.row(o, set)
	c := row[series]
	if c == nil {
		if n := len(w.cells); n > 0 {
			c, w.cells = w.cells[n-1], w.cells[:n-1]
		} else {
			c = &cell{}
		}
		row[series] = c
	}
	return c
}

func (w *windows) row(o *window, set int32) []*cell {
	for i := range o.sets {
		if o.sets[i].set == set {
			return o.sets[i].cells
		}
	}
	if n := len(o.sets); n < cap(o.sets) { // memory of an earlier life
		o.sets = o.sets[:n+1]
		o.sets[n].set = set
		if o.sets[n].cells == nil {
			o.sets[n].cells = make([]*cell, w.series)
		}
	} else {
		o.sets = append(o.sets, setCells{set, make([]*cell, w.series)})
	}
	return o.sets[len(o.sets)-1].cells
}

// close takes out the windows that ended before horizon.
func (w *windows) close(horizon time.Duration, into []*window) []*window {
	n := 0
	for n < len(w.open) && w.open[n].end < horizon {
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

// free takes a closed window and its cells back for another use.
func (w *windows) free(o *window) {
	for _, s := range o.sets {
		for i, c := range s.cells {
			if c != nil {
				c.reset()
				w.cells = append(w.cells, c)
				s.cells[i] = nil
			}
		}
	}
	o.sets = o.sets[:0]
	w.spare = append(w.spare, o)
}

// each goes over the cells of a window.
func (o *window) each(do func(k key, c *cell)) {
	for _, s := range o.sets {
		for series, c := range s.cells {
			if c != nil {
				do(key{o.start, int32(series), s.set}, c)
			}
		}
	}
}
