package measure

import (
	"io"
	"slices"
	"time"
)

// A Recording holds what a recorder measured: the occurrences of faults, and the cells, which can be
// read repeatedly. It is valid until the recorder is closed.
type Recording struct {
	History
	Config   Config
	Marks    []time.Duration         // instants at which windows are cut, besides whole seconds; ascending
	InFlight map[time.Duration]int64 // most iterations under way, by the start of the window
	Slowest  SlowestSet
	Err      error // error of the last write to the spill file; cells that were not written are in memory
	spill    *spill
}

// recording returns the measurements so far. The caller holds folding and mu. The result shares data that only
// folding changes, and is valid until the next fold.
func (r *Recorder) recording() *Recording {
	out := &Recording{
		History: History{Faults: slices.Clone(r.Faults), Sets: slices.Clone(r.Sets)},
		Config:  r.cfg, Marks: slices.Clone(r.windows.marks), InFlight: r.flight, Slowest: r.slow, Err: r.err, spill: r.spill,
	}
	for i, set := range out.Sets { // Void modifies the sets
		out.Sets[i] = slices.Clone(set)
	}
	return out
}

// Cells reads every cell, in the order of writing. A cell is valid until do returns. A cell with an
// unknown series or set is an error.
func (r *Recording) Cells(do func(Key, *Cell)) error {
	return r.spill.each(r.known(func(k Key, c *Cell) error {
		do(k, c)
		return nil
	}))
}

// Write writes every cell, in the order of writing, for [Recording.Read]. The error comes from reading the spill
// file, or from w.
func (r *Recording) Write(w io.Writer) error {
	if _, err := io.Copy(w, io.NewSectionReader(r.spill.f, 0, r.spill.n)); err != nil {
		return readError(err)
	}
	_, err := w.Write(r.spill.buf)
	return err
}

// Read replaces the cells with cells that [Recording.Write] wrote. [Recording.Cells] returns an error if they are
// damaged.
func (r *Recording) Read(cells []byte) { r.spill = &spill{buf: cells} }

func (r *Recording) known(do func(Key, *Cell) error) func(Key, *Cell) error {
	n := int32(len(r.Config.Steps) + len(r.Config.Loads))
	return func(k Key, c *Cell) error {
		if k.Series >= n || k.Set >= int32(len(r.Sets)) {
			return errSpill
		}
		return do(k, c)
	}
}

// EndOf returns the end of the window that begins at start: the next whole second or cut.
func (r *Recording) EndOf(start time.Duration) time.Duration {
	_, end := bounds(start, r.Marks)
	return end
}

// A Snapshot holds the measurements of a recorder while the run goes on.
type Snapshot struct {
	Recording
	Now     time.Duration
	Open    []*Window               // windows that are not yet in the spill file, ascending
	Offered map[time.Duration]int64 // requests offered lately, by second, as Interval saw them
	Scratch *Scratch
}

// Ended reports whether all requests that were due from one time up to another have ended or timed out, and were
// spilled.
func (s *Snapshot) Ended(from, to time.Duration) bool {
	return to <= s.Now-s.Config.Timeout-time.Second &&
		!slices.ContainsFunc(s.Open, func(w *Window) bool { return w.Start >= from && w.Start < to })
}

// Snapshot calls do with the measurements so far. No fold runs until do returns, so the cells of
// open windows do not change.
func (r *Recorder) Snapshot(do func(*Snapshot) error) error {
	r.folding.Lock()
	defer r.folding.Unlock()
	r.fold()
	r.mu.Lock()
	s := &Snapshot{
		Recording: *r.recording(), Now: r.cfg.Now(), Open: slices.Clone(r.windows.open), Offered: r.asked,
		Scratch: &r.scratch,
	}
	r.mu.Unlock()
	return do(s)
}

// CellsFrom reads the cells in the spill file from an offset on, and returns the offset to continue
// from.
func (s *Snapshot) CellsFrom(offset int64, do func(Key, *Cell) error) (next int64, err error) {
	n := s.spill.n - offset
	return s.spill.n, eachRecord(io.NewSectionReader(s.spill.f, offset, n), n, do)
}
