package measure

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// PhaseTimes holds the times that requests spent in one phase: their number, exact sum and maximum, and their
// distribution within 3 %. Counting a time costs a few nanoseconds, a fifth of the cost of a [Tally], which is
// precise to three digits.
//
// Each value below 32 µs has a bucket of its own, and each further doubling has 16 buckets. The first times are kept
// as a list, because most cells of a run with many faults have few requests, and the buckets take 1.8 kB.
type PhaseTimes struct {
	N    int64
	sum  time.Duration
	Most time.Duration
	few  [fewTimes]uint16 // the buckets of the first N times, while at is nil
	at   *phaseBuckets    // nil while the list holds all times
}

// fewTimes is the number of times that are kept as a list.
const fewTimes = 16

// phaseBits is the number of leading bits of a time in microseconds that select its bucket.
const phaseBits = 5

type phaseBuckets [(32 - phaseBits + 2) << (phaseBits - 1)]uint32

// phaseBucket returns the number of the bucket of a time in microseconds.
func phaseBucket(us uint32) int {
	shift := max(0, bits.Len32(us)-phaseBits)
	return shift<<(phaseBits-1) + int(us>>shift)
}

// phaseEdges returns the lowest and the highest time of a bucket, in microseconds.
func phaseEdges(bucket int) (low, high int64) {
	if bucket < 1<<phaseBits {
		return int64(bucket), int64(bucket)
	}
	shift := bucket>>(phaseBits-1) - 1
	low = int64(bucket-shift<<(phaseBits-1)) << shift
	return low, low + 1<<shift - 1
}

// take counts a time.
func (t *PhaseTimes) take(d time.Duration) {
	t.put(phaseBucket(uint32(min(int64(d+500)/1000, math.MaxUint32))), 1)
	t.sum += d
	t.Most = max(t.Most, d)
}

// put counts n times of a bucket.
func (t *PhaseTimes) put(bucket int, n uint32) {
	if t.at == nil {
		if t.N+int64(n) <= fewTimes {
			for range n {
				t.few[t.N] = uint16(bucket)
				t.N++
			}
			return
		}
		t.at = new(phaseBuckets)
		for _, b := range t.few[:t.N] {
			t.at[b]++
		}
	}
	t.N += int64(n)
	t.at[bucket] += n
}

// each calls do with the buckets that hold times and the number of their times, in ascending order, until do returns
// false.
func (t *PhaseTimes) each(do func(bucket int, n uint32) bool) {
	if t.at == nil {
		few := t.few
		list := few[:t.N]
		slices.Sort(list)
		for len(list) > 0 {
			n := 1
			for n < len(list) && list[n] == list[0] {
				n++
			}
			if !do(int(list[0]), uint32(n)) {
				return
			}
			list = list[n:]
		}
		return
	}
	for i, n := range t.at {
		if n > 0 && !do(i, n) {
			return
		}
	}
}

// Add adds the times of u.
func (t *PhaseTimes) Add(u *PhaseTimes) {
	for bucket, n := range u.each {
		t.put(bucket, n)
	}
	t.sum += u.sum
	t.Most = max(t.Most, u.Most)
}

// reset empties the times and keeps their memory.
func (t *PhaseTimes) reset() {
	at := t.at
	if at != nil && t.N > 0 {
		clear(at[:])
	}
	*t = PhaseTimes{at: at}
}

// trim frees memory that the times did not need.
func (t *PhaseTimes) trim() {
	if t.at == nil || t.N > fewTimes {
		return
	}
	small := PhaseTimes{sum: t.sum, Most: t.Most}
	for bucket, n := range t.each {
		small.put(bucket, n)
	}
	*t = small
}

// Quantile returns the value at quantile q in seconds, within 3 %; NaN without a time.
func (t *PhaseTimes) Quantile(q float64) result.Num {
	if t.N == 0 {
		return result.NaN
	}
	r := Rank(q, t.N)
	for i, n := range t.each {
		if r -= int64(n); r <= 0 {
			low, high := phaseEdges(i)
			return min(result.Num(float64(low+high)/2e6), result.Sec(t.Most))
		}
	}
	return result.Sec(t.Most)
}

// PunctualQuantile returns the response time of good answers at quantile q in seconds, without brunt's own time; NaN
// without an answer. It returns the measured value, which is known to three digits, unless brunt's own time is more
// than a twentieth of it.
func (c *Cell) PunctualQuantile(q float64) result.Num {
	measured := c.Response[scenarios.OK].Quantile(q)
	if v := c.Late.Punctual.Quantile(q); v < measured*19/20 {
		return v
	}
	return measured
}

// atMost returns the upper edge of the bucket of the r-th smallest time.
func (t *PhaseTimes) atMost(r int64) time.Duration {
	for i, n := range t.each {
		if r -= int64(n); r <= 0 {
			_, high := phaseEdges(i)
			return min(time.Duration(high)*time.Microsecond+500*time.Nanosecond, t.Most)
		}
	}
	return t.Most
}

// Above counts, for each of ascending limits in seconds, the times that are certainly above it, by the lower edges of
// their buckets.
func (t *PhaseTimes) Above(limits []float64) []int64 {
	out := make([]int64, len(limits)+1)
	for i, n := range t.each {
		low, _ := phaseEdges(i)
		below, _ := slices.BinarySearch(limits, (float64(low)-.5)/1e6)
		out[below] += int64(n)
	}
	for i := len(limits) - 1; i >= 0; i-- {
		out[i] += out[i+1]
	}
	return out[1:]
}

// append encodes the times: their number and, if there are any, their sum, their maximum, and each bucket as its
// distance from the bucket before and its count.
func (t *PhaseTimes) append(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(t.N))
	if t.N == 0 {
		return b
	}
	b = binary.AppendUvarint(b, uint64(t.sum))
	b = binary.AppendUvarint(b, uint64(t.Most))
	last := 0
	for i, n := range t.each {
		b = binary.AppendUvarint(b, uint64(i-last))
		b = binary.AppendUvarint(b, uint64(n))
		last = i
	}
	return b
}

// readPhaseTimes decodes what PhaseTimes.append encoded.
func readPhaseTimes(r *WireReader, t *PhaseTimes) {
	total := r.Count()
	if total == 0 {
		return
	}
	t.sum, t.Most = time.Duration(r.Count()), time.Duration(r.Count())
	at := int64(0)
	for left := total; left > 0; {
		step := r.UpTo(uint64(len(t.at) - 1))
		n := r.UpTo(math.MaxUint32)
		if at += step; n == 0 || n > left || at >= int64(len(t.at)) || step == 0 && left < total {
			r.Fail()
			return
		}
		t.put(int(at), uint32(n))
		left -= n
	}
}

// figures returns the figures for a result; nil if no request had the phase.
func (t *PhaseTimes) figures() *result.Timing {
	if t.N == 0 {
		return nil
	}
	return &result.Timing{
		Count: t.N, Total: result.Sec(t.sum), P50: t.Quantile(.5), P95: t.Quantile(.95),
		P99: t.Quantile(.99), Max: result.Sec(t.Most),
	}
}

// TimingsOf returns where the requests of a cell spent their time; nil if there are no times.
func (c *Cell) TimingsOf() *result.Timings {
	var out result.Timings
	for i := range c.Timings {
		*out.Of(scenarios.RequestPhase(i)) = c.Timings[i].figures()
	}
	if out == (result.Timings{}) {
		return nil
	}
	return &out
}

// Resent counts the requests for whose connection the system sent a SYN again, because no answer came.
type Resent struct {
	N           int64
	Least, Most time.Duration // bounds of their times to connect
}

// count adds a request that took d to connect.
func (r *Resent) count(d time.Duration) { r.Merge(&Resent{1, d, d}) }

// Merge adds the requests of q.
func (r *Resent) Merge(q *Resent) {
	switch {
	case q.N == 0:
	case r.N == 0:
		*r = *q
	default:
		*r = Resent{r.N + q.N, min(r.Least, q.Least), max(r.Most, q.Most)}
	}
}

// ResentOf returns the requests that waited for a SYN to be sent again; nil if none did.
func (c *Cell) ResentOf() *result.Resent {
	if c.Resent.N == 0 {
		return nil
	}
	return &result.Resent{Count: c.Resent.N, Least: result.Sec(c.Resent.Least), Most: result.Sec(c.Resent.Most)}
}
