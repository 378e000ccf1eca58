package measure

import (
	"iter"
	"slices"
	"time"

	"brunt/scenarios/result"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Histograms keeps the histograms of a result by number, in encoded form, because a run of an hour has thousands and
// a reader needs one at a time.
type Histograms struct{ list []kept }

type kept struct {
	start, span time.Duration
	bytes       []byte // a tally as encoded by Tally.append
}

// Put keeps a settled tally and returns its number, or 0 when the tally is empty.
func (h *Histograms) Put(t *Tally, start, span time.Duration) int {
	if t.Total == 0 {
		return 0
	}
	h.list = append(h.list, kept{start, span, t.append(make([]byte, 0, 1+3*len(t.at)))})
	return len(h.list)
}

// Fork returns a copy to which histograms can be added without changing h.
func (h *Histograms) Fork() *Histograms { return &Histograms{slices.Clip(h.list)} }

func (h *Histograms) Get(n int) (*hdrhistogram.PackedHistogram, error) {
	if n < 1 || n > len(h.list) {
		return nil, nil
	}
	var t Tally
	r := &WireReader{B: h.list[n-1].bytes}
	if readTally(r, &t); r.Bad {
		return nil, errSpill
	}
	return t.hdr(), nil
}

func (h *Histograms) All() iter.Seq2[result.HistogramInfo, error] {
	return func(yield func(result.HistogramInfo, error) bool) {
		for i, k := range h.list {
			hdr, err := h.Get(i + 1)
			if !yield(result.HistogramInfo{N: i + 1, Start: k.start, Span: k.span, HDR: hdr}, err) {
				return
			}
		}
	}
}
