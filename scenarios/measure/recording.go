package measure

import (
	"io"
	"slices"
	"time"
)

// A Recording is what a recorder measured: which faults came and went, and the cells, to be
// read back as often as need be. It is valid until the recorder is closed.
type Recording struct {
	history
	cfg    Config
	marks  []time.Duration         // where windows are cut, besides at whole seconds; in order
	flight map[time.Duration]int64 // most iterations under way, by the start of the window
	slow   slowest
	err    error // of the last write to the spill file; what it did not take is in memory
	spill  *spill
}

// recording gives what was measured until now. Folding and mu are held: what folding alone
// changes is shared, and valid until the next fold.
func (r *Recorder) recording() *Recording {
	out := &Recording{
		history: history{faults: slices.Clone(r.faults), sets: slices.Clone(r.sets)},
		cfg:     r.cfg, marks: slices.Clone(r.windows.marks), flight: r.flight, slow: r.slow, err: r.err, spill: r.spill,
	}
	for i, set := range out.sets { // Void changes them
		out.sets[i] = slices.Clone(set)
	}
	return out
}

// cells reads every cell back, in the order they were written. A cell is valid until do
// returns. What names a series or a set of faults that there is not was never written.
func (r *Recording) cells(do func(key, *cell)) error {
	return r.spill.each(r.known(func(k key, c *cell) error {
		do(k, c)
		return nil
	}))
}

func (r *Recording) known(do func(key, *cell) error) func(key, *cell) error {
	n := int32(len(r.cfg.Steps) + len(r.cfg.Loads))
	return func(k key, c *cell) error {
		if k.series >= n || k.set >= int32(len(r.sets)) {
			return errSpill
		}
		return do(k, c)
	}
}

// endOf is the end of the window that begins at start: the next second or cut.
func (r *Recording) endOf(start time.Duration) time.Duration {
	_, end := bounds(start, r.marks)
	return end
}

// A Snapshot is what a recorder measured until now, while the run goes on.
type Snapshot struct {
	Recording
	now     time.Duration
	open    []*window               // not yet in the spill file, in order
	asked   map[time.Duration]int64 // requests asked for lately, by the second, as Interval saw them
	scratch *scratch
}

// Snapshot calls do with what was measured until now. Until do returns nothing is folded, so
// that the cells of open windows stay as they are.
func (r *Recorder) Snapshot(do func(*Snapshot) error) error {
	r.folding.Lock()
	defer r.folding.Unlock()
	r.fold()
	r.mu.Lock()
	s := &Snapshot{Recording: *r.recording(), now: r.cfg.Now(), open: slices.Clone(r.windows.open), asked: r.asked, scratch: &r.scratch}
	r.mu.Unlock()
	return do(s)
}

// cellsFrom reads the cells that went to the spill file from an offset on, and gives the
// offset to go on from.
func (s *Snapshot) cellsFrom(offset int64, do func(key, *cell) error) (next int64, err error) {
	n := s.spill.n - offset
	return s.spill.n, eachRecord(io.NewSectionReader(s.spill.f, offset, n), n, do)
}
