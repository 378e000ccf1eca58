package measure

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"brunt/scenarios/result"
)

// TestTally_Geometry compares the buckets with those of hdrhistogram: the same value lies in the
// same bucket, and a bucket has the same edges.
func TestTally_Geometry(t *testing.T) {
	values := []int64{0, 1, 2, 1023, 1024, 2047, 2048, 2049, 4095, 4096, 1 << 20, result.HistMax - 1, result.HistMax}
	r := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		values = append(values, r.Int64N(1<<(1+r.IntN(31)))%(result.HistMax+1))
	}
	for _, v := range values {
		h := result.NewHistogram()
		if err := h.RecordValue(v); err != nil {
			t.Fatal(err)
		}
		low, high := bucketEdges(result.HistBucket(uint32(v)))
		if v < low || v > high || low != h.Min() || high != h.Max() {
			t.Fatalf("%d lies in [%d, %d], and in [%d, %d] of hdrhistogram", v, low, high, h.Min(), h.Max())
		}
		if b := result.HistBucket(uint32(low)); b != result.HistBucket(uint32(high)) || b >= buckets {
			t.Fatalf("%d: edges %d and %d lie in buckets %d and %d", v, low, high, b, result.HistBucket(uint32(high)))
		}
	}
}

// TestTally_Merge: merging is lossless: tallies of parts, merged in any order, equal the tally of
// the whole and that of hdrhistogram.
func TestTally_Merge(t *testing.T) {
	var s Scratch
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		parts := make([]Tally, 1+r.IntN(6))
		var whole Tally
		want := result.NewHistogram()
		for range r.IntN(5000) {
			d := time.Duration(r.ExpFloat64() * float64(time.Microsecond) * float64(int64(1)<<r.IntN(20)))
			whole.add(d, &s)
			parts[r.IntN(len(parts))].add(d, &s)
			_ = want.RecordValue(int64(d+500) / 1000)
		}
		whole.settle(&s)
		var sum Tally
		for _, i := range r.Perm(len(parts)) {
			parts[i].settle(&s)
			sum.merge(&parts[i])
		}
		if !slices.Equal(sum.at, whole.at) || !slices.Equal(sum.n, whole.n) || sum.Total != whole.Total {
			t.Fatalf("seed %d: the parts are not the whole", seed)
		}
		if want.TotalCount() == 0 {
			if whole.hdr() != nil {
				t.Fatal("an empty tally has a histogram")
			}
			continue
		}
		got := whole.hdr()
		if got.TotalCount() != want.TotalCount() || got.Populated() != want.Populated() {
			t.Fatalf("seed %d: %d values in %d buckets, want %d in %d", seed, got.TotalCount(), got.Populated(),
				want.TotalCount(), want.Populated())
		}
		for _, q := range []float64{1, 50, 90, 99, 99.9, 100} {
			if got.ValueAtPercentile(q) != want.ValueAtPercentile(q) {
				t.Fatalf("seed %d: p%g is %d, want %d", seed, q, got.ValueAtPercentile(q), want.ValueAtPercentile(q))
			}
		}
	}
	if s != (Scratch{}) {
		t.Error("the scratch is not clean")
	}
}

// TestTally_Clamp: values out of bounds are clamped and counted.
func TestTally_Clamp(t *testing.T) {
	var s Scratch
	for _, c := range []struct {
		name    string
		d       time.Duration
		us      int64
		clamped int64
	}{
		{"zero is held", 0, 0, 0},
		{"under half a microsecond is zero", 499, 0, 0},
		{"rounded up", 500, 1, 0},
		{"the last that is held", time.Hour, result.HistMax, 0},
		{"over an hour", time.Hour + time.Microsecond, result.HistMax, 1},
		{"far over", 1000 * time.Hour, result.HistMax, 1},
		{"negative", -1, 0, 1},
		{"very negative", -time.Hour, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var h Tally
			if got := h.add(c.d, &s); got != c.clamped {
				t.Errorf("clamped %d, want %d", got, c.clamped)
			}
			h.settle(&s)
			if low, high := bucketEdges(int(h.at[0])); c.us < low || c.us > high || h.Total != 1 {
				t.Errorf("counted in [%d, %d], want %d", low, high, c.us)
			}
		})
	}
}

// TestTally_ValueAt: every rank has its value, to three digits.
func TestTally_ValueAt(t *testing.T) {
	var s Scratch
	var h Tally
	r := rand.New(rand.NewPCG(3, 4))
	var all []time.Duration
	for range 3000 {
		d := time.Duration(r.Int64N(int64(20 * time.Second)))
		all = append(all, d)
		h.add(d, &s)
	}
	h.settle(&s)
	slices.Sort(all)
	for i, want := range all {
		got := h.ValueAt(int64(i+1), all[len(all)-1])
		if w := want.Seconds(); got < w-1e-6 || got > w*1.001+1e-6 {
			t.Fatalf("rank %d: %g, want %g", i+1, got, w)
		}
	}
}

// TestTally_EdgeAt200ms: 200 ms is no edge of a bucket. The tests of counted limits in
// package judge depend on it.
func TestTally_EdgeAt200ms(t *testing.T) {
	if low, high := bucketEdges(result.HistBucket(200_000)); low >= 200_000 || high <= 200_000 {
		t.Fatalf("200 ms is an edge of [%d, %d]", low, high)
	}
}
