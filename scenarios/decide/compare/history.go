package compare

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"brunt/scenarios/disk"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// A History is a folder of small files, one per record. So it fits into the cache of a CI system or a git branch, and
// concurrent jobs do not conflict. It has no index, because a thousand records are read in less than a tenth of a
// second.
type History struct {
	dir     string
	records []*Record // the oldest first
	// Problems has an error for each file that is not a valid record. Those files are not changed.
	Problems []error
}

const (
	recordSuffix = ".run.json" // of a record's file
	mostRecord   = 64 << 20    // the largest file that is read, in bytes: no record comes close to it
)

// OpenHistory reads a folder of records, and creates it if needed.
func OpenHistory(dir string) (*History, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("open history: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open history: %w", err)
	}
	h := &History{dir: dir}
	var others []string         // files of other versions
	for _, e := range entries { // sorted by name
		if !strings.HasSuffix(e.Name(), recordSuffix) {
			continue
		}
		file := filepath.Join(dir, e.Name())
		b, err := disk.Read(file, mostRecord)
		if errors.Is(err, fs.ErrNotExist) { // another job has just removed it
			continue
		}
		var r *Record
		if err == nil {
			r, err = parseRecord(b)
		}
		switch {
		case errors.Is(err, errOtherVersion):
			others = append(others, e.Name())
			continue
		case err != nil:
			h.Problems = append(h.Problems, fmt.Errorf("%s is not the record of a run: %w; it is ignored", file, err))
			continue
		}
		h.records = append(h.records, r)
	}
	if len(others) > 0 {
		h.Problems = append(h.Problems, fmt.Errorf("%s: %s of another version of brunt, whose figures mean something else: "+
			"they are ignored; the last is %s", dir, syntax.Amount(len(others), "record"), others[len(others)-1]))
	}
	slices.SortStableFunc(h.records, func(a, b *Record) int { return a.Started.Compare(b.Started) })
	return h, nil
}

// ignoreTemporary makes git ignore the files that remain if a job is killed while it adds a record. A read-only
// folder is left unchanged.
func ignoreTemporary(dir string) {
	f, err := os.OpenFile(filepath.Join(dir, ".gitignore"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, disk.Shared)
	if err != nil {
		return
	}
	_, _ = f.WriteString(".new-*\n")
	_ = f.Close()
}

// Writable checks that records can be added. It is called before a run, whose record would be lost otherwise.
func (h *History) Writable() error {
	ignoreTemporary(h.dir)
	f, err := os.CreateTemp(h.dir, ".new-*")
	if err != nil {
		return fmt.Errorf("cannot add to the history: %w", err)
	}
	_, err = f.Write(make([]byte, 4096)) // a full disk may accept the name but not the content
	if err = errors.Join(err, f.Sync(), f.Close(), os.Remove(f.Name())); err != nil {
		return fmt.Errorf("cannot add to the history: %w", err)
	}
	return nil
}

// Records returns the records that were in the folder when it was opened and those added since, the oldest first.
func (h *History) Records() []*Record { return slices.Clone(h.records) }

// Like returns the records of a run's scenario on machines with the same system and processors, the oldest first. It
// can't compare the speed of the machines, because that is not known of a run that is over.
func (h *History) Like(r *result.Result) []*Record {
	e, of := r.Environment, NewRecord(r, Machine{})
	return slices.DeleteFunc(h.Records(), func(r *Record) bool {
		return !r.Same(of) || r.Machine.OS != e.OS || r.Machine.Arch != e.Arch || r.Machine.CPUs != e.CPUs
	})
}

// Add writes the record of a run atomically. The file is named by the time at which the run began and the name of the
// run.
func (h *History) Add(r *Record) error {
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	ignoreTemporary(h.dir)
	name := r.Started.UTC().Format("20060102T150405") + "-" + safe(r.Run) + recordSuffix
	f, err := disk.Beside(filepath.Join(h.dir, "new"), disk.Shared)
	if err != nil {
		return fmt.Errorf("write to the history: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(append(b, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), h.free(name))
	}
	if err != nil {
		return fmt.Errorf("write to the history: %w", err)
	}
	h.records = append(h.records, r)
	return nil
}

// free returns an unused path for a new file.
func (h *History) free(name string) string {
	path := filepath.Join(h.dir, name)
	for i := 2; ; i++ {
		if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) || i > 1000 {
			return path
		}
		path = filepath.Join(h.dir, fmt.Sprintf("%s-%d%s", strings.TrimSuffix(name, recordSuffix), i, recordSuffix))
	}
}

// safe returns s with every character replaced that is not valid in the file names of some system.
func safe(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, s)
	return s[:min(len(s), 100)]
}

// Measure returns the records that a new run is compared with. These are the records since the last accepted one,
// without those that were found to be worse and those of a disturbed machine. If the last [LeastHistory] records or
// more in a row are of a disturbed machine, that is its normal state: those records count, and no record before them
// does.
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
