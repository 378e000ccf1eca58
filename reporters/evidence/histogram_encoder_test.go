package evidence

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"brunt/scenarios/result"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// TestHistogramEncoder: a histogram is encoded as the library encodes it, byte for byte, also one of other bounds.
func TestHistogramEncoder(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var all []*hdrhistogram.PackedHistogram
	record := func(h *hdrhistogram.PackedHistogram, value, n int64) {
		if err := h.RecordValues(value, n); err != nil {
			t.Fatal(err)
		}
	}
	for _, values := range [][]int64{
		{0}, {1}, {0, 2}, {0, 1, 3, 2047, 2048, 2049, 4096, 1 << 20}, {result.HistMax}, {0, result.HistMax},
	} {
		h := result.NewHistogram()
		for _, v := range values {
			record(h, v, 1)
		}
		all = append(all, h)
	}
	for range 300 {
		h := result.NewHistogram()
		for range 1 + rnd.IntN(300) {
			record(h, rnd.Int64N(1<<rnd.IntN(32))%result.HistMax, 1+rnd.Int64N(1<<rnd.IntN(40)))
		}
		all = append(all, h)
	}
	other := hdrhistogram.NewPacked(1, 1000, 2)
	record(other, 17, 3)
	e := newHistogramEncoder()
	for i, h := range append(all, other, result.NewHistogram()) {
		got, err := e.histogram(h)
		if err != nil {
			t.Fatal(err)
		}
		if want, _ := h.EncodeV2(); !bytes.Equal(got, want) {
			t.Fatalf("histogram %d of %d values: got %d bytes, want %d", i, h.TotalCount(), len(got), len(want))
		}
	}
}

func BenchmarkHistogramEncoder(b *testing.B) {
	h := result.NewHistogram()
	for i := range 200 {
		_ = h.RecordValue(int64(300 + 7*i))
	}
	b.ReportAllocs()
	for e := newHistogramEncoder(); b.Loop(); {
		if _, err := e.histogram(h); err != nil {
			b.Fatal(err)
		}
	}
}
