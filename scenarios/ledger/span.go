package ledger

import (
	"slices"
	"time"

	"brunt/scenarios/result"
)

// acknowledged holds the times at which writes were acknowledged, to compute the spans of lost writes. It takes 8
// bytes for each write.
type acknowledged struct {
	lost, held  []time.Duration // times of lost writes, and of writes that are there
	first, last time.Duration   // times of the first and last of all writes, including those whose state is unknown
	any         bool
}

func (a *acknowledged) add(at time.Duration, lost, held bool) {
	if !a.any {
		a.any, a.first, a.last = true, at, at
	}
	a.first, a.last = min(a.first, at), max(a.last, at)
	switch {
	case lost:
		a.lost = append(a.lost, at)
	case held:
		a.held = append(a.held, at)
	}
}

// around returns the times of the last surviving write up to first, and of the first surviving write from last on.
// Without such a write, it returns the time of the first or the last of all writes.
func (a *acknowledged) around(first, last time.Duration) (before, after time.Duration) {
	before, after = a.first, a.last
	if i, found := slices.BinarySearch(a.held, first); found {
		before = first
	} else if i > 0 {
		before = a.held[i-1]
	}
	if i, _ := slices.BinarySearch(a.held, last); i < len(a.held) {
		after = a.held[i]
	}
	return before, after
}

// mostSeconds is the maximum number of seconds for which lost writes are counted.
const mostSeconds = 600

// lostIn counts a write lost to a fault in the second of its acknowledgement. It is called in the order of time.
func (b *verification) lostIn(at time.Duration, fault string) {
	t := result.Sec(at.Truncate(time.Second))
	if at < 0 { // in the warm-up
		t = result.Sec((at - time.Second + 1).Truncate(time.Second))
	}
	all := b.out.LostSeconds
	for i := len(all) - 1; i >= 0 && all[i].T == t; i-- {
		if all[i].Fault == fault {
			all[i].Lost++
			return
		}
	}
	if len(all) < mostSeconds {
		b.out.LostSeconds = append(all, result.LostSecond{T: t, Fault: fault, Lost: 1})
	}
}

// spans computes the recovery point from the lost writes: for each fault, the span of acknowledgements of the writes
// that were lost to it.
//
// Its lower bound is the time from the first lost write to the last one. Its upper bound is the time between the
// surviving writes just before and just after them, because only writes between these two can have been lost. Unlike
// the age of the oldest lost write, the span does not grow with the length of the run.
func (b *verification) spans() {
	b.out.RPO, b.out.RPOLow = 0, 0
	if len(b.acked.lost) == 0 {
		return
	}
	slices.Sort(b.acked.lost)
	slices.Sort(b.acked.held)
	faults := map[string]*result.LostSpan{}
	var spans []*result.LostSpan
	for _, at := range b.acked.lost {
		_, fault := b.age(at)
		b.lostIn(at, fault)
		s := faults[fault]
		if s == nil {
			s = &result.LostSpan{Fault: fault, First: result.Sec(at)}
			faults[fault] = s
			spans = append(spans, s)
		}
		s.Last = result.Sec(at)
		s.Lost++
	}
	for _, s := range spans {
		before, after := b.acked.around(s.First.D(), s.Last.D())
		s.Before, s.After = result.Sec(before), result.Sec(after)
		b.out.LostSpans = append(b.out.LostSpans, *s)
		b.out.RPOLow = max(b.out.RPOLow, s.Last-s.First) // each bound is the largest over all faults
		if most := s.After - s.Before; most > b.out.RPO || len(b.out.LostSpans) == 1 {
			b.out.RPO, b.out.RPOFault = most, s.Fault
		}
	}
}
