package reporters

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"brunt/scenarios/disk"
	"brunt/scenarios/machine"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
)

// WriteFiles writes the files of a run into dir, which it creates: one file for each reporter whose format names a
// file, in the order of the list. Each file appears complete or not at all. After a failure it still writes the other
// files; the error joins all failures.
func WriteFiles(dir string, r *result.Result, list []Reporter) error {
	return writeFiles(dir, r, list, disk.Replace)
}

// RewriteFiles is like WriteFiles, but where the disk has no room for a second copy of a file, it overwrites the
// existing file in place; see overwrite.
func RewriteFiles(dir string, r *result.Result, list []Reporter) error {
	return writeFiles(dir, r, list, func(path string, mode fs.FileMode, write func(io.Writer) error) error {
		err := disk.Replace(path, mode, write)
		if err != nil && overwrite(path, write) == nil {
			return nil
		}
		return err
	})
}

// RefreshFiles is like WriteFiles, but writes a file only where its bytes change. It leaves each such file as it is for
// which keep returns true. Kept and drawn are the names of the files left and written.
func RefreshFiles(dir string, r *result.Result, list []Reporter, keep func(name string) bool) (
	kept, drawn []string, err error,
) {
	err = writeFiles(dir, r, list, func(path string, mode fs.FileMode, write func(io.Writer) error) error {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			return err
		}
		name := filepath.Base(path)
		switch same, err := holds(path, b.Bytes()); {
		case err != nil || same:
			return err
		case keep(name):
			kept = append(kept, name)
			return nil
		}
		drawn = append(drawn, name)
		return disk.Replace(path, mode, func(w io.Writer) error {
			_, err := w.Write(b.Bytes())
			return err
		})
	})
	return kept, drawn, err
}

// holds reports whether the file is there and holds exactly the text.
func holds(path string, text []byte) (bool, error) {
	if at, err := os.Lstat(path); err != nil || !at.Mode().IsRegular() || at.Size() != int64(len(text)) {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return false, err
	}
	is, err := disk.Read(path, int64(len(text)))
	return bytes.Equal(is, text), err
}

func writeFiles(dir string, r *result.Result, list []Reporter,
	write func(path string, mode fs.FileMode, write func(io.Writer) error) error,
) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("making the folder of the report: %w", err)
	}
	var errs []error
	var full []string // files that find no room
	for _, rep := range list {
		name := rep.Format().File
		if name == "" {
			continue
		}
		mode := disk.Shared
		if rep.Format().Evidence {
			mode = disk.Private
		}
		err := write(filepath.Join(dir, name), mode, func(w io.Writer) error { return rep.Report(w, r) })
		switch {
		case errors.Is(err, syscall.ENOSPC):
			full = append(full, name)
		case err != nil:
			errs = append(errs, fmt.Errorf("writing %s: %w", name, err))
		}
	}
	if len(full) > 0 {
		errs = append(errs, &FullError{Dir: dir, Files: full, Free: machine.Free(dir)})
	}
	return errors.Join(errs...)
}

// A FullError means that files of a report found no room on their disk.
type FullError struct {
	Dir   string
	Files []string
	Free  int64 // bytes that are free beside what was written; negative: not known
}

// Error says what to do about it.
func (e *FullError) Error() string {
	free := ""
	if e.Free >= 0 {
		free = ", with " + quantity.Size(e.Free>>10<<10).String() + " free"
	}
	return fmt.Sprintf("the disk of %s is full%s, so that it lacks %s: make room there, or name a folder on another disk by -o",
		e.Dir, free, strings.Join(e.Files, ", "))
}

// Unwrap returns the error of the system.
func (e *FullError) Unwrap() error { return syscall.ENOSPC }

// WriteFile writes a temporary file beside path and renames it, so that a reader never sees a part of a file. Only
// the owner may read the file.
func WriteFile(path string, write func(io.Writer) error) error {
	return disk.Replace(path, disk.Private, write)
}

// WriteShared is like [WriteFile], for a file that others may read as far as the umask allows.
func WriteShared(path string, write func(io.Writer) error) error {
	return disk.Replace(path, disk.Shared, write)
}

// overwrite replaces the content of an existing file in place, which needs disk space only for the growth. Without
// that space the file keeps its old content.
func overwrite(path string, write func(io.Writer) error) (err error) {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() {
		if cerr := f.Close(); err == nil {
			err = cerr
		}
	}()
	old, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if more := int64(b.Len()) - old; more > 0 { // reserve the space before the first byte changes
		_, err := f.Write(bytes.Repeat([]byte("\n"), int(more)))
		if err = cmp.Or(err, f.Sync()); err != nil {
			return errors.Join(err, f.Truncate(old))
		}
	}
	if _, err := f.WriteAt(b.Bytes(), 0); err != nil {
		return err
	}
	if err := f.Truncate(int64(b.Len())); err != nil {
		return err
	}
	return f.Sync()
}
