package measure

import (
	"math/rand/v2"
	"testing"
	"time"
	"unsafe"
)

// counted counts times, in the buckets from the first on if dense says so.
func counted(times []time.Duration, dense bool) *PhaseTimes {
	t := &PhaseTimes{}
	if dense {
		t.at = new(phaseBuckets)
	}
	for _, d := range times {
		t.take(d)
	}
	return t
}

// TestPhaseTimes_Few: times that are kept as a list have the figures and the encoding of the same times in buckets, as
// they are, read back, added up, and trimmed.
func TestPhaseTimes_Few(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		draw := func() (out []time.Duration) {
			for range r.IntN(2 * fewTimes) {
				out = append(out, time.Duration(r.ExpFloat64()*float64(10*ms)))
			}
			return out
		}
		a, b := draw(), draw()
		want := counted(append(append([]time.Duration{}, a...), b...), true)
		sum := counted(a, r.IntN(4) == 0)
		sum.Add(counted(b, r.IntN(4) == 0))
		var read, small PhaseTimes
		from := &WireReader{B: sum.append(nil)}
		if readPhaseTimes(from, &read); from.Bad || len(from.B) > 0 {
			t.Fatalf("%d times are not read back", sum.N)
		}
		small.Add(want)
		small.trim()
		for name, got := range map[string]*PhaseTimes{"added": sum, "read back": &read, "trimmed": &small} {
			if string(got.append(nil)) != string(want.append(nil)) {
				t.Fatalf("%s: %d times are encoded otherwise", name, want.N)
			}
			for _, q := range []float64{.01, .5, .95, 1} {
				if is, was := got.Quantile(q), want.Quantile(q); is != was && want.N > 0 {
					t.Fatalf("%s: quantile %g of %d times is %g, want %g", name, q, want.N, float64(is), float64(was))
				}
			}
			if got.at != nil && name != "added" && got.N <= fewTimes {
				t.Fatalf("%s: %d times have %d bytes of buckets", name, got.N, unsafe.Sizeof(*got.at))
			}
		}
		sum.reset()
		if sum.N != 0 || sum.Most != 0 || sum.sum != 0 || len(sum.append(nil)) != 1 {
			t.Fatal("it is not empty after a reset")
		}
	}
}
