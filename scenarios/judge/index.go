package judge

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"brunt/scenarios/judge/effect"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
)

// The indexes of this file find the windows, records and phases around one fault without reading those of the whole
// run, because a run may have thousands of faults.
//
//	newWindowIndex --> begun, around, flow: windows by time, and their records
//	phaseIndex.of ---> the phases that a cell may be in

// A windowIndex holds the windows of a run, and where their records are.
type windowIndex struct {
	starts   []time.Duration
	First    []int   // first record of each window; the last entry is the number of records
	Affected [][]int // by occurrence of a fault: the records of requests that met it, ascending
}

// newWindowIndex makes the index of n records in the order of their windows, which begin at starts. of returns the
// start of a record, and the occurrences that its requests met.
func newWindowIndex(starts []time.Duration, n, faults int, of func(i int) (time.Duration, []int32)) *windowIndex {
	w := &windowIndex{starts: starts, Affected: make([][]int, faults)}
	for i := range n {
		start, met := of(i)
		for len(w.First) < len(starts) && starts[len(w.First)] <= start {
			w.First = append(w.First, i)
		}
		for _, f := range met {
			w.Affected[f] = append(w.Affected[f], i)
		}
	}
	for len(w.First) <= len(starts) {
		w.First = append(w.First, n)
	}
	return w
}

// Begun returns the number of windows that begin before t.
func (w *windowIndex) Begun(t time.Duration) int {
	n, _ := slices.BinarySearch(w.starts, t)
	return n
}

// Around widens a span by the windows whose single requests show the edges of an outage. The result stays within the
// run, which ends at end.
func (w *windowIndex) Around(in requests.Span, end time.Duration) requests.Span {
	from, to := w.Begun(in.From)-effect.Around, w.Begun(in.To)+effect.Around
	in = requests.Span{To: end}
	if from > 0 {
		in.From = w.starts[from]
	}
	if to < len(w.starts) {
		in.To = min(end, w.starts[to])
	}
	return in
}

// Flow returns every window with the number of requests in flight at its begin, and of requests that ended in it. end
// sets the end of a window. of returns how many requests of a record became ready in its window, and how many ended
// there.
func (w *windowIndex) Flow(end func(s *effect.Slice), of func(record int) (ready, ended int64)) []effect.Slice {
	out := make([]effect.Slice, len(w.starts))
	under := int64(0)
	for i, start := range w.starts {
		s := &out[i]
		s.Start, s.InFlight = start, under
		end(s)
		for n := w.First[i]; n < w.First[i+1]; n++ {
			ready, ended := of(n)
			s.Ended += ended
			under += ready - ended
		}
	}
	return out
}

// begunIn returns the slices that begin in a span.
func begunIn(p requests.Span, in []effect.Slice) []effect.Slice {
	at := func(t time.Duration) int {
		n, _ := slices.BinarySearchFunc(in, t, func(s effect.Slice, t time.Duration) int { return cmp.Compare(s.Start, t) })
		return n
	}
	return in[at(p.From):max(at(p.From), at(p.To))]
}

// A phaseIndex finds the phases that may contain a cell: by the faults that its requests met, or by its time. The
// zero value is empty.
type phaseIndex struct {
	Run    []int           // phases that may contain any cell
	fault  map[int32][]int // by occurrence
	second map[time.Duration][]int
}

// OfFault adds a phase of the requests that met an occurrence.
func (p *phaseIndex) OfFault(phase int, occurrence int32) {
	if p.fault == nil {
		p.fault = map[int32][]int{}
	}
	p.fault[occurrence] = append(p.fault[occurrence], phase)
}

// InSpan adds a phase of the windows that begin in a span.
func (p *phaseIndex) InSpan(phase int, s requests.Span) {
	if p.second == nil {
		p.second = map[time.Duration][]int{}
	}
	for at := measure.FloorSecond(s.From); at < s.To; at += time.Second {
		p.second[at] = append(p.second[at], phase)
	}
}

// Of returns the phases that may contain a cell, each once.
func (p *phaseIndex) Of(k measure.Key, met []int32) iter.Seq[int] {
	return func(yield func(int) bool) {
		all := func(list []int) bool { return !slices.ContainsFunc(list, func(i int) bool { return !yield(i) }) }
		if !all(p.Run) || !all(p.second[measure.FloorSecond(k.Start)]) {
			return
		}
		for _, n := range met {
			if !all(p.fault[n]) {
				return
			}
		}
	}
}
