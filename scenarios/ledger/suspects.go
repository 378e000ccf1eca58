package ledger

import (
	"math"
	"slices"
	"time"

	"brunt/chaos"
	"brunt/scenarios/statistics"
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
//
// The target may also have lost a write by itself. So the only fault of a set is blamed for a write if a reading found
// the write before the fault, or if the fault is shown to lose writes: see [suspects.weigh].
type suspects struct {
	faults []*chaos.Record // the injected faults
	shown  []bool          // by fault: whether it is shown to lose writes; nil before weigh
	over   []time.Duration // by fault: when it was cleared
	calm   []time.Duration // by fault: from when on it loses no write that is acknowledged; negative: unknown
	read   map[string]evidence
	end    time.Duration // end of the load

	sets  []suspectSet   // each set once
	known map[string]int // index in sets, by a bit for each fault, and one that says whether it is shown
	bits  []byte
}

// A suspectSet is a set of faults of which one may have lost a write; it is empty if none did.
type suspectSet struct {
	faults []int
	names  []string
	shown  bool // the only fault of the set is shown to have lost the write
}

// fault returns the only fault of the set if it is shown to have lost the write, or nothing.
func (s *suspectSet) fault() string {
	if s.shown {
		return s.names[0]
	}
	return ""
}

// possible returns the faults of the set if it is not shown which lost the write.
func (s *suspectSet) possible() []string {
	if s.shown {
		return nil
	}
	return s.names
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
	s.bits = make([]byte, len(s.faults)/8+1)
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
	any, only := false, -1
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
		if only = i; any {
			only = -1
		}
		any, age = true, max(age, at-acked)
		s.bits[i/8] |= 1 << (i % 8)
	}
	shown := only >= 0 && (s.shown != nil && s.shown[only] || e.alive >= 0 && e.alive <= s.faults[only].Injected)
	if shown {
		s.bits[len(s.faults)/8] |= 1 << (len(s.faults) % 8)
	}
	if !any {
		age = end - acked
	}
	if e.gone >= 0 {
		age = min(age, e.gone-acked)
	}
	return s.index(shown), age
}

// index returns the index of the set that bits holds.
func (s *suspects) index(shown bool) int {
	i, known := s.known[string(s.bits)]
	if known {
		return i
	}
	set := suspectSet{shown: shown}
	for k, c := range s.faults {
		if s.bits[k/8]&(1<<(k%8)) != 0 {
			set.faults, set.names = append(set.faults, k), append(set.names, c.Name)
		}
	}
	s.sets = append(s.sets, set)
	s.known[string(s.bits)] = len(s.sets) - 1
	return len(s.sets) - 1
}

// leastEvidence is the p-value above which no fault of a run with one fault is shown to lose writes.
const leastEvidence = 0.05

// weigh tells which faults are shown to lose writes: more writes are lost around the fault than the target loses
// anyway, by Fisher's exact test. lost and held are the times of acknowledgement of all writes, sorted. There are two
// comparisons:
//
//   - of the writes that were acknowledged at most [nearFault] before the fault or while it was in, but not before the
//     last reading, with all others;
//   - of the writes that were acknowledged before the last reading before the fault, in the end, with that reading.
//
// The test takes losses as independent, and writes that are lost in one burst are not. So in the first comparison a
// burst counts as one loss. Each of its writes counts, there and elsewhere, if a burst is tied to the fault: see
// [tied].
//
// The more faults and comparisons are tested, the more evidence each needs (Bonferroni).
func (s *suspects) weigh(rounds []*round, lost, held []time.Duration) {
	s.shown = make([]bool, len(s.faults))
	all := burstsOf(lost, held)
	more := func(lostHere, all, lostElsewhere, rest int64) bool {
		p := statistics.FisherGreater(lostHere, all, lostElsewhere, rest)
		return lostHere > 0 && rest > 0 && p*float64(2*len(s.faults)) <= leastEvidence
	}
	for i, c := range s.faults {
		from, to := c.Injected-nearFault, max(s.over[i], c.Injected)
		var last *round
		for _, r := range rounds {
			if r.began >= 0 && r.ended <= c.Injected {
				last = r
				from = max(from, r.began)
			}
		}
		near, elsewhere, anyTied := int64(0), int64(0), false
		for _, b := range all {
			anyTied = anyTied || b.tied(c.Injected, to)
		}
		for _, b := range all {
			n := between(lost, max(from, b.first), min(to, b.last))
			switch {
			case anyTied && b.tied(c.Injected, to):
				near += n
			case n > 0:
				near++
			}
			if rest := b.n - n; anyTied {
				elsewhere += rest
			} else if n == 0 {
				elsewhere++
			}
		}
		around := between(held, from, to)
		s.shown[i] = more(near, near+around, elsewhere, elsewhere+int64(len(held))-around)
		if s.shown[i] || last == nil {
			continue
		}
		absent, asked := int64(0), int64(0)
		for k := range last.asked {
			switch f := &last.asked[k]; {
			case f.n > 0:
				asked++
			case f.n == 0:
				asked, absent = asked+1, absent+1
			}
		}
		gone := between(lost, math.MinInt64, last.began)
		s.shown[i] = more(gone, gone+between(held, math.MinInt64, last.began), absent, asked)
	}
}

// between returns how many times of a sorted list lie in a span, with both ends.
func between(of []time.Duration, from, to time.Duration) int64 {
	first, _ := slices.BinarySearch(of, from)
	end, _ := slices.BinarySearch(of, to+1)
	return int64(max(0, end-first))
}

// A burst is a number of lost writes, by the times of acknowledgement of the first and the last. They are at most a
// second apart, or have no write between them that is there.
type burst struct {
	first, last time.Duration
	n           int64
}

// atOnce is the longest time between two losses of a burst, and between an act of a fault and a burst that begins or
// ends with it.
const atOnce = time.Second

// burstsOf divides lost writes into bursts. Both lists are sorted.
func burstsOf(lost, held []time.Duration) (out []burst) {
	for _, at := range lost {
		if n := len(out) - 1; n >= 0 && (at-out[n].last <= atOnce || between(held, out[n].last, at) == 0) {
			out[n].last = at
			out[n].n++
			continue
		}
		out = append(out, burst{at, at, 1})
	}
	return out
}

// tied reports whether a burst begins or ends with an act of a fault: with its injection, or with its end.
func (b *burst) tied(injected, over time.Duration) bool {
	with := func(at, act time.Duration) bool { return (at - act).Abs() <= atOnce }
	return with(b.first, injected) || with(b.last, injected) || with(b.first, over) || with(b.last, over)
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
