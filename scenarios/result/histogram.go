package result

import (
	"iter"
	"math/bits"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Histograms holds latency histograms by number, in microseconds. They stay packed until they are read.
type Histograms interface {
	// Get returns histogram n, or nil if there is none.
	Get(n int) (*hdrhistogram.PackedHistogram, error)
	// All iterates over the histograms in the order of their numbers.
	All() iter.Seq2[HistogramInfo, error]
}

// HistogramInfo is a histogram with its number and the time it covers.
type HistogramInfo struct {
	N     int
	Start time.Duration // offset from t0
	Span  time.Duration
	HDR   *hdrhistogram.PackedHistogram
}

// Bounds of every histogram: 1 µs to 1 h with three significant digits.
const (
	HistMin    = 1
	HistMax    = 3_600_000_000
	HistDigits = 3
)

// HistBits follows from three digits: each value below 2^HistBits has a bucket of its own, and each further doubling
// of the value has half as many buckets.
const HistBits = 11

// HistBucket returns the number of the bucket of a value in microseconds: the flat index of hdrhistogram.
func HistBucket(us uint32) int {
	shift := max(0, bits.Len32(us)-HistBits)
	return shift<<(HistBits-1) + int(us>>shift)
}

// NewHistogram makes an empty histogram with brunt's bounds.
func NewHistogram() *hdrhistogram.PackedHistogram {
	return hdrhistogram.NewPacked(HistMin, HistMax, HistDigits)
}
