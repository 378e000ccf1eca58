package measure

import (
	"iter"
	"slices"
	"time"

	"brunt/scenarios"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// histograms keeps the histograms of a result by number, as bytes: an hour has
// thousands, of which a reader looks at one after the other.
type histograms struct{ list []kept }

type kept struct {
	start, span time.Duration
	bytes       []byte // as tally.append gives them
}

// put keeps a settled tally and gives its number; 0 when it is empty.
func (h *histograms) put(t *tally, start, span time.Duration) int {
	if t.total == 0 {
		return 0
	}
	h.list = append(h.list, kept{start, span, t.append(make([]byte, 0, 1+3*len(t.at)))})
	return len(h.list)
}

// fork gives the same histograms, to which others can be added.
func (h *histograms) fork() *histograms { return &histograms{slices.Clip(h.list)} }

// Get implements [scenarios.Histograms].
func (h *histograms) Get(n int) (*hdrhistogram.PackedHistogram, error) {
	if n < 1 || n > len(h.list) {
		return nil, nil
	}
	var t tally
	r := &reader{b: h.list[n-1].bytes}
	if r.tally(&t); r.bad {
		return nil, errSpill
	}
	return t.hdr(), nil
}

// All implements [scenarios.Histograms].
func (h *histograms) All() iter.Seq2[scenarios.HistogramInfo, error] {
	return func(yield func(scenarios.HistogramInfo, error) bool) {
		for i, k := range h.list {
			hdr, err := h.Get(i + 1)
			if !yield(scenarios.HistogramInfo{N: i + 1, Start: k.start, Span: k.span, HDR: hdr}, err) {
				return
			}
		}
	}
}
