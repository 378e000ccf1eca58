package compare

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"brunt/scenarios/compare/folder"
	"brunt/scenarios/result"
)

// A History is a folder of records.
type History struct{ *folder.Folder }

// OpenHistory opens a folder of records, and creates it if needed.
func OpenHistory(ctx context.Context, dir string) (*History, error) {
	f, err := folder.Open(ctx, dir, func(b []byte) (time.Time, error) {
		r, err := parseRecord(b)
		if err != nil {
			return time.Time{}, err
		}
		return r.Started, nil
	})
	return &History{f}, err
}

// Records returns all records, the oldest first.
func (h *History) Records(ctx context.Context) ([]*Record, error) {
	files, err := h.All(ctx)
	if err != nil {
		return nil, err
	}
	var out []*Record
	for _, b := range files {
		r, err := parseRecord(b)
		if err != nil {
			return nil, fmt.Errorf("read the index of the history: %w; remove %s", err, h.IndexFile())
		}
		out = append(out, r)
	}
	return out, nil
}

// Like returns the records of the scenario of a run on machines of the same system and processors, the oldest
// first. How fast the machine was is not known of a run that is over.
func (h *History) Like(ctx context.Context, r *result.Result) ([]*Record, error) {
	all, err := h.Records(ctx)
	e, of := r.Environment, NewRecord(r, Machine{})
	return slices.DeleteFunc(all, func(r *Record) bool {
		return !r.Same(of) || r.Machine.OS != e.OS || r.Machine.Arch != e.Arch || r.Machine.CPUs != e.CPUs
	}), err
}

// Add writes a record atomically.
func (h *History) Add(r *Record) error {
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return h.Folder.Add(r.Run, r.Started, b)
}

// Measure returns the records that a new run is compared with: those since the last accepted
// one, without those that were found to be worse and those of a disturbed machine. Where the machine has been
// disturbed for [LeastHistory] records in a row, that is how it is now: they count, and no record before them does.
func Measure(all []*Record) []*Record {
	from, disturbed := 0, 0
	for i, r := range all {
		if disturbed++; r.Disturbed == "" {
			disturbed = 0
		}
		if r.Accept {
			from, disturbed = i, 0
		}
	}
	settled := disturbed >= LeastHistory
	if settled {
		from = max(from, len(all)-disturbed)
	}
	return slices.DeleteFunc(slices.Clone(all[from:]), func(r *Record) bool {
		return (r.Red || r.Disturbed != "" && !settled) && !r.Accept
	})
}
