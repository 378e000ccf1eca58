package measure

import (
	"encoding/binary"
	"slices"
	"time"

	"brunt/scenarios/result"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A Tally is a histogram with the buckets of [result.NewHistogram]: 1 µs to 1 h with three digits,
// and zero for values under half a microsecond. It stores only the buckets that are not empty.
//
// New values wait in recent and are counted into buckets a thousand at a time. A value costs about 6 ns that way.
// Finding its place in a sparse histogram at once would cost 47 ns, and a dense histogram would use 188 KB for each
// of some hundred cells.
type Tally struct {
	recent []uint32 // microseconds
	at     []uint16 // bucket numbers, ascending
	n      []int64  // number of values in each bucket
	Total  int64    // sum of n
}

// recentMost is the maximum number of waiting values.
const recentMost = 1024

// Geometry of HDR histograms with three digits; see [result.HistBits].
const (
	subBits = result.HistBits
	half    = 1 << (subBits - 1)
	most    = 32 - subBits // doublings above the first 2048 values
	buckets = (most + 2) * half
)

// bucketEdges returns the lowest and the highest value of a bucket, in microseconds.
func bucketEdges(bucket int) (low, high int64) {
	if bucket < 2*half {
		return int64(bucket), int64(bucket)
	}
	shift := bucket>>(subBits-1) - 1
	low = int64(bucket-shift<<(subBits-1)) << shift
	return low, low + 1<<shift - 1
}

// Scratch is the working memory for counting values into buckets; one serves all tallies of a
// recorder. It is all zero between two uses.
type Scratch [buckets]int64

// add adds a time, rounded to microseconds. It clamps a time out of bounds and then returns clamped
// = 1.
func (t *Tally) add(d time.Duration, s *Scratch) (clamped int64) {
	us := int64(d+500) / 1000
	switch {
	case us > result.HistMax:
		us, clamped = result.HistMax, 1
	case d < 0:
		us, clamped = 0, 1
	}
	if len(t.recent) == recentMost {
		t.settle(s)
	}
	t.recent = append(t.recent, uint32(us))
	return clamped
}

// settle counts the waiting values into buckets.
func (t *Tally) settle(s *Scratch) {
	if len(t.recent) == 0 {
		return
	}
	low, high := buckets, 0
	if len(t.at) > 0 {
		low, high = int(t.at[0]), int(t.at[len(t.at)-1])
	}
	for i, b := range t.at {
		s[b] = t.n[i]
	}
	for _, us := range t.recent {
		b := result.HistBucket(us)
		s[b]++
		low, high = min(low, b), max(high, b)
	}
	t.Total += int64(len(t.recent))
	t.recent, t.at, t.n = t.recent[:0], t.at[:0], t.n[:0]
	for i, n := range s[low : high+1] {
		if n != 0 {
			t.at, t.n = append(t.at, uint16(low+i)), append(t.n, n)
		}
	}
	clear(s[low : high+1])
}

// reset empties the tally and keeps its memory.
func (t *Tally) reset() {
	t.recent, t.at, t.n, t.Total = t.recent[:0], t.at[:0], t.n[:0], 0
}

// trim frees memory that the values of a settled tally did not need.
func (t *Tally) trim() {
	const spared = 64 // values
	if most := 4 * (t.Total + spared); int64(cap(t.recent)) > most {
		t.recent = nil
	}
	if cap(t.at) > 4*(len(t.at)+spared) {
		t.at, t.n = nil, nil
	}
	if t.Total == 0 {
		t.recent, t.at, t.n = nil, nil, nil
	}
}

// merge adds the counts of u. Both tallies must be settled.
func (t *Tally) merge(u *Tally) {
	if u.Total == 0 {
		return
	}
	added := 0
	for i, j := 0, 0; j < len(u.at); {
		switch {
		case i < len(t.at) && t.at[i] < u.at[j]:
			i++
		case i < len(t.at) && t.at[i] == u.at[j]:
			i++
			j++
		default:
			added++
			j++
		}
	}
	i, j := len(t.at)-1, len(u.at)-1
	t.at = slices.Grow(t.at, added)[:len(t.at)+added]
	t.n = slices.Grow(t.n, added)[:len(t.at)]
	// from the end, so that no value is overwritten before it is read
	for k := len(t.at) - 1; j >= 0; k-- {
		switch {
		case i >= 0 && t.at[i] > u.at[j]:
			t.at[k], t.n[k] = t.at[i], t.n[i]
			i--
		case i >= 0 && t.at[i] == u.at[j]:
			t.at[k], t.n[k] = t.at[i], t.n[i]+u.n[j]
			i--
			j--
		default:
			t.at[k], t.n[k] = u.at[j], u.n[j]
			j--
		}
	}
	t.Total += u.Total
}

// gather adds the counts of others. All tallies must be settled. It is cheaper than merging one
// after the other.
func (t *Tally) gather(others []*Tally, s *Scratch) {
	low, high := buckets, -1
	count := func(u *Tally) {
		for i, b := range u.at {
			s[b] += u.n[i]
		}
		if n := len(u.at); n > 0 {
			low, high = min(low, int(u.at[0])), max(high, int(u.at[n-1]))
		}
		t.Total += u.Total
	}
	total := t.Total
	count(t)
	t.Total -= total
	for _, u := range others {
		count(u)
	}
	if high < 0 {
		return
	}
	t.at, t.n = t.at[:0], t.n[:0]
	for i, n := range s[low : high+1] {
		if n != 0 {
			t.at, t.n = append(t.at, uint16(low+i)), append(t.n, n)
		}
	}
	clear(s[low : high+1])
}

// ValueAt returns the r-th smallest value in seconds, as readers of HDR histograms do: the upper edge of its bucket,
// but at most the largest value seen.
func (t *Tally) ValueAt(r int64, largest time.Duration) float64 {
	for i, n := range t.n {
		if r -= n; r <= 0 {
			_, high := bucketEdges(int(t.at[i]))
			return min(float64(high)/1e6, largest.Seconds())
		}
	}
	return largest.Seconds()
}

// UpTo returns the number of values at or below a value that ValueAt returned, in seconds. A nil tally is empty.
func (t *Tally) UpTo(at float64) int64 {
	if t == nil {
		return 0
	}
	n := int64(0)
	for i, b := range t.at {
		if low, _ := bucketEdges(int(b)); float64(low)/1e6 > at {
			break
		}
		n += t.n[i]
	}
	return n
}

// Unsent returns the values that users would have measured while they waited for values of at least least, if they
// had sent a request every interval: for each such value v these are v-interval, v-2·interval and so on, down to the
// interval. This is HdrHistogram's correction, recordValueWithExpectedInterval.
func (t *Tally) Unsent(least, interval time.Duration) *Tally {
	out := &Tally{}
	if interval < time.Microsecond {
		return out
	}
	s := &Scratch{}
	for i, b := range t.at {
		low, _ := bucketEdges(int(b))
		for at := time.Duration(low)*time.Microsecond - interval; low >= least.Microseconds() &&
			at >= interval; at -= interval {
			s[result.HistBucket(uint32(at.Microseconds()))] += t.n[i]
		}
	}
	for b, n := range s {
		if n > 0 {
			out.at, out.n, out.Total = append(out.at, uint16(b)), append(out.n, n), out.Total+n
		}
	}
	return out
}

// hdr converts the tally, which must be settled, to an hdrhistogram; nil if it is empty.
func (t *Tally) hdr() *hdrhistogram.PackedHistogram {
	if t.Total == 0 {
		return nil
	}
	h := result.NewHistogram()
	for i, n := range t.n {
		low, _ := bucketEdges(int(t.at[i]))
		_ = h.RecordValues(low, n) // both have the same buckets
	}
	return h
}

// append encodes the buckets of the tally, which must be settled: their number, then for each bucket its distance
// from the bucket before and its count.
func (t *Tally) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(t.at)))
	last := uint16(0)
	for i, at := range t.at {
		b = binary.AppendUvarint(b, uint64(at-last))
		b = binary.AppendUvarint(b, uint64(t.n[i]))
		last = at
	}
	return b
}
