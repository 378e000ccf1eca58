package ledger

import (
	"slices"
	"time"

	"brunt/chaos"
)

// suspects tells which faults may have lost a write.
//
//	A      read-back      B        found in it, and lost in the end: lost to B
//	|----|-----------|----|----->  not in it, although it should have been: lost to A
//	                               not read in it: lost to A or to B
//
// A fault may have lost a write unless it was injected when the write was already gone, or was cleared when the write
// was still found. It may also have lost a write that was acknowledged after it was cleared, because a primary that
// was cut off acknowledges writes for some time after that, until it steps down. A reading that finds ten such writes,
// and misses none, shows that this is over.
type suspects struct {
	faults []*chaos.Record // the injected faults
	over   []time.Duration // by fault: when it was cleared
	calm   []time.Duration // by fault: from when on it loses no write that is acknowledged; negative: unknown
	read   map[string]evidence
	end    time.Duration // end of the load

	sets  []suspectSet   // each set once
	known map[string]int // index in sets, by a bit for each fault
	bits  []byte
}

// A suspectSet is a set of faults of which one lost a write; it is empty if none did.
type suspectSet struct {
	faults []int
	names  []string
}

// fault returns the only fault of the set, or nothing.
func (s *suspectSet) fault() string {
	if len(s.names) == 1 {
		return s.names[0]
	}
	return ""
}

// several returns the faults of the set if there are several.
func (s *suspectSet) several() []string {
	if len(s.names) > 1 {
		return s.names
	}
	return nil
}

func newSuspects(l *Ledger, r *Run) *suspects {
	s := &suspects{end: r.End, known: map[string]int{}}
	if l != nil {
		s.read = l.evidenceOf()
	}
	for _, c := range r.Faults {
		if c.N < 0 {
			continue
		}
		over, calm := c.Cleared, time.Duration(-1)
		if over < c.Injected { // it was never cleared
			over = max(r.End, c.Injected)
		}
		if l != nil {
			if from, ok := l.calmAfter(over); ok {
				calm = from
			}
		}
		s.faults, s.over, s.calm = append(s.faults, c), append(s.over, over), append(s.calm, calm)
	}
	s.bits = make([]byte, (len(s.faults)+7)/8)
	return s
}

// of returns the faults that may have lost a write, as an index of sets, and an upper bound of the write's age when it
// was lost. ambiguous says that other writes have the same id, so that the readings tell nothing.
//
// A write that was acknowledged during a fault was lost at the latest when the fault was cleared, or at once for a
// one-shot fault such as a crash; a write that was acknowledged before, at the latest when it was injected. Otherwise
// the write was lost by the end of the load.
func (s *suspects) of(id string, acked time.Duration, ambiguous bool) (set int, age time.Duration) {
	e, known := s.read[id]
	if !known || ambiguous {
		e = evidence{alive: -1, gone: -1}
	}
	end := max(s.end, acked)
	clear(s.bits)
	any := false
	for i, c := range s.faults {
		at := c.Injected
		switch {
		case e.gone >= 0 && c.Injected > e.gone,
			e.alive >= 0 && s.over[i] < e.alive,
			acked > s.over[i] && s.calm[i] >= 0 && acked >= s.calm[i]:
			continue
		case acked > s.over[i]:
			at = end
		case acked >= c.Injected && c.OneShot:
			at = acked
		case acked >= c.Injected:
			at = max(acked, s.over[i])
		}
		any, age = true, max(age, at-acked)
		s.bits[i/8] |= 1 << (i % 8)
	}
	if !any {
		age = end - acked
	}
	if e.gone >= 0 {
		age = min(age, e.gone-acked)
	}
	return s.index(), age
}

// index returns the index of the set that bits holds.
func (s *suspects) index() int {
	i, known := s.known[string(s.bits)]
	if known {
		return i
	}
	var set suspectSet
	for k, c := range s.faults {
		if s.bits[k/8]&(1<<(k%8)) != 0 {
			set.faults, set.names = append(set.faults, k), append(set.names, c.Name)
		}
	}
	s.sets = append(s.sets, set)
	s.known[string(s.bits)] = len(s.sets) - 1
	return len(s.sets) - 1
}

// leastSpan returns the smallest possible length of the longest of n spans that together cover all times, which must
// be sorted. With one span that is the time from the first to the last.
func leastSpan(times []time.Duration, n int) time.Duration {
	covers := func(length time.Duration) bool {
		used := 0
		for i := 0; i < len(times); used++ {
			end := times[i] + length
			k, _ := slices.BinarySearch(times[i:], end+1)
			i += k
		}
		return used <= n
	}
	low, high := time.Duration(0), times[len(times)-1]-times[0]
	if n <= 1 {
		return high
	}
	for low < high {
		if mid := low + (high-low)/2; covers(mid) {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return low
}
