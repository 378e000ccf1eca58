package k6

import (
	"cmp"
	"math"
	"slices"
)

// A sketch is a distribution of any numbers, not only times, in bounded memory, with a relative
// error of a thousandth. The key of a bucket is the sign, the exponent and the first ten bits of
// the fraction of its values.
type sketch struct {
	buckets map[uint32]int64
	count   int64
	sum     float64
	last    float64
	min     float64
	max     float64
}

const (
	fractionRest = 52 - 10                  // dropped bits of the fraction
	signBit      = 1 << (63 - fractionRest) // sign bit of a bucket
)

// add counts a value, unless it is not a number or infinite.
func (s *sketch) add(v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return
	}
	if s.count == 0 {
		s.buckets, s.min, s.max = map[uint32]int64{}, v, v
	}
	s.count++
	s.sum += v
	s.last = v
	s.min, s.max = min(s.min, v), max(s.max, v)
	s.buckets[uint32(math.Float64bits(v)>>fractionRest)]++
}

// quantiles returns the nearest rank for each share, 0 to 1, and zero for an empty sketch.
func (s *sketch) quantiles(shares ...float64) []float64 {
	out := make([]float64, len(shares))
	if s.count == 0 {
		return out
	}
	type bucket struct {
		low, high float64
		n         int64
	}
	all := make([]bucket, 0, len(s.buckets))
	for b, n := range s.buckets {
		low := math.Float64frombits(uint64(b) << fractionRest)
		high := math.Float64frombits(uint64(b)<<fractionRest | (1<<fractionRest - 1))
		if b&^signBit == 0 { // zero and subnormal numbers next to it
			low, high = 0, 0
		}
		all = append(all, bucket{min(low, high), max(low, high), n})
	}
	slices.SortFunc(all, func(a, b bucket) int { return cmp.Compare(a.low, b.low) })
	for i, share := range shares {
		rank := max(1, int64(math.Ceil(share*float64(s.count)-1e-9)))
		seen := int64(0)
		for _, b := range all {
			if seen += b.n; seen >= rank {
				v := (b.low + b.high) / 2
				if n := math.Ceil(b.low); n <= b.high { // counts and sizes are integers
					v = n
				}
				out[i] = min(max(v, s.min), s.max)
				break
			}
		}
	}
	return out
}
