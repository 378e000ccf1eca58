package ledger

import (
	"cmp"
	"slices"
	"time"

	"brunt/scenarios/result"
)

// An ackedWrite is an acknowledged write, for the spans of lost writes.
type ackedWrite struct {
	end  time.Duration // when it was acknowledged
	lost bool          // it is not there
	held bool          // it is there
}

// spans derives the recovery point from the lost writes: for each fault, the time over which the
// writes that were lost to it had been acknowledged.
//
// At least, that is the time from the first lost write to the last one. At most, it is the time from
// the last write before them that is there to the first one after them that is: no more can have
// been lost than lay between the two. Unlike the age of the oldest lost write
// it does not grow with the length of the run.
func (b *verification) spans() {
	slices.SortFunc(b.acked, func(a, c ackedWrite) int { return cmp.Compare(a.end, c.end) })
	b.out.RPO, b.out.RPOLow = 0, 0
	type stretch struct{ first, last, n int } // indexes in acked
	faults := map[string]*stretch{}
	var names []string
	for i, w := range b.acked {
		if !w.lost {
			continue
		}
		_, fault := b.age(w.end)
		s := faults[fault]
		if s == nil {
			s = &stretch{first: i}
			faults[fault] = s
			names = append(names, fault)
		}
		s.last = i
		s.n++
	}
	for _, fault := range names {
		s := faults[fault]
		before, after := s.first, s.last
		for before > 0 && !b.acked[before].held {
			before--
		}
		for after < len(b.acked)-1 && !b.acked[after].held {
			after++
		}
		span := result.LostSpan{
			Fault: fault, Lost: int64(s.n),
			First: result.Sec(b.acked[s.first].end), Last: result.Sec(b.acked[s.last].end),
			Before: result.Sec(b.acked[before].end), After: result.Sec(b.acked[after].end),
		}
		b.out.LostSpans = append(b.out.LostSpans, span)
		b.out.RPOLow = max(b.out.RPOLow, span.Last-span.First) // each bound is the largest of all faults
		if most := span.After - span.Before; most > b.out.RPO || len(b.out.LostSpans) == 1 {
			b.out.RPO, b.out.RPOFault = most, fault
		}
	}
}
