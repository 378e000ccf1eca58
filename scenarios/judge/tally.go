package judge

import (
	"time"

	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
)

// A tally holds the sums of a recording's cells. Each cell is added once, while the run goes on or when it is over.
type tally struct {
	records []record
	sums    map[int32][]measure.Cell // by number of the phase, then by series
	blocks  [][]measure.Cell         // by block of the case, then by series
}

func newTally(f *readings) *tally {
	t := &tally{sums: map[int32][]measure.Cell{}}
	for range f.c.Blocks {
		t.blocks = append(t.blocks, newCells(&f.Config))
	}
	return t
}

// add counts a cell in the phases that have numbers, and in blocks.
func (t *tally) add(r *measure.Recording, blocks []requests.Span, k measure.Key, c *measure.Cell) {
	r.PhasesOf(k, func(p int32) {
		if t.sums[p] == nil {
			t.sums[p] = newCells(&r.Config)
		}
		t.sums[p][k.Series].Add(c)
	})
	for i, b := range blocks {
		if inSpan(b, k) {
			t.blocks[i][k.Series].Add(c)
		}
	}
	t.records = append(t.records, recordOf(k, c))
}

// of returns the sums of a phase, by series.
func (t *tally) of(c *measure.Config, phase int32) []measure.Cell {
	if sums := t.sums[phase]; sums != nil {
		return sums
	}
	return newCells(c)
}

// lasts returns the number of the last cell of each window, by its start.
func (t *tally) lasts() map[time.Duration]int {
	out := map[time.Duration]int{}
	for i := range t.records {
		out[t.records[i].Start] = i
	}
	return out
}

// newCells returns an empty cell for each series.
func newCells(c *measure.Config) []measure.Cell {
	return make([]measure.Cell, len(c.Steps)+len(c.Loads))
}

// inSpan reports whether the window of a cell begins in a span.
func inSpan(s requests.Span, k measure.Key) bool { return k.Start >= s.From && k.Start < s.To }
