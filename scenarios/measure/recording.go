package measure

import (
	"io"
	"slices"
	"time"
)

// A Recording is what a recorder measured: which faults came and went, and the cells, to be
// read back as often as need be. It is valid until the recorder is closed.
type Recording struct {
	History
	Config   Config
	Marks    []time.Duration         // where windows are cut, besides at whole seconds; in order
	InFlight map[time.Duration]int64 // Most iterations under way, by the start of the window
	Slowest  Slowest
	Err      error // of the last write to the spill file; what it did not take is in memory
	spill    *spill
}

// recording gives what was measured until now. Folding and mu are held: what folding alone
// changes is shared, and valid until the next fold.
func (r *Recorder) recording() *Recording {
	out := &Recording{
		History: History{Faults: slices.Clone(r.Faults), Sets: slices.Clone(r.Sets)},
		Config:  r.cfg, Marks: slices.Clone(r.windows.marks), InFlight: r.flight, Slowest: r.slow, Err: r.err, spill: r.spill,
	}
	for i, set := range out.Sets { // Void changes them
		out.Sets[i] = slices.Clone(set)
	}
	return out
}

// Cells reads every cell back, in the order they were written. A cell is valid until do
// returns. What names a series or a set of faults that there is not was never written.
func (r *Recording) Cells(do func(Key, *Cell)) error {
	return r.spill.each(r.known(func(k Key, c *Cell) error {
		do(k, c)
		return nil
	}))
}

func (r *Recording) known(do func(Key, *Cell) error) func(Key, *Cell) error {
	n := int32(len(r.Config.Steps) + len(r.Config.Loads))
	return func(k Key, c *Cell) error {
		if k.Series >= n || k.Set >= int32(len(r.Sets)) {
			return errSpill
		}
		return do(k, c)
	}
}

// EndOf is the end of the window that begins at start: the next second or cut.
func (r *Recording) EndOf(start time.Duration) time.Duration {
	_, end := bounds(start, r.Marks)
	return end
}

// A Snapshot is what a recorder measured until now, while the run goes on.
type Snapshot struct {
	Recording
	Now     time.Duration
	Open    []*Window               // not yet in the spill file, in order
	Offered map[time.Duration]int64 // requests asked for lately, by the second, as Interval saw them
	Scratch *Scratch
}

// Snapshot calls do with what was measured until now. Until do returns nothing is folded, so
// that the cells of open windows stay as they are.
func (r *Recorder) Snapshot(do func(*Snapshot) error) error {
	r.folding.Lock()
	defer r.folding.Unlock()
	r.fold()
	r.mu.Lock()
	s := &Snapshot{Recording: *r.recording(), Now: r.cfg.Now(), Open: slices.Clone(r.windows.open), Offered: r.asked, Scratch: &r.scratch}
	r.mu.Unlock()
	return do(s)
}

// CellsFrom reads the cells that went to the spill file from an offset on, and gives the
// offset to go on from.
func (s *Snapshot) CellsFrom(offset int64, do func(Key, *Cell) error) (next int64, err error) {
	n := s.spill.n - offset
	return s.spill.n, eachRecord(io.NewSectionReader(s.spill.f, offset, n), n, do)
}
