package reporters

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"brunt/scenarios/result"
)

// WriteFiles writes the files of a run into dir, which it creates: one file for each reporter
// whose format names a file, in the order of the list. Each file appears whole or not at all.
// After a failure it writes the other files; the error joins all failures.
func WriteFiles(dir string, r *result.Result, list []Reporter) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making the folder of the report: %w", err)
	}
	var errs []error
	for _, rep := range list {
		name := rep.Format().File
		if name == "" {
			continue
		}
		if err := WriteFile(filepath.Join(dir, name), func(w io.Writer) error { return rep.Report(w, r) }); err != nil {
			errs = append(errs, fmt.Errorf("writing %s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

// WriteFile writes a temporary file beside path and renames it, so that a reader never
// sees half a file. The file is readable by all.
func WriteFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	b := bufio.NewWriterSize(f, 1<<16)
	err = write(b)
	if err == nil {
		err = b.Flush()
	}
	if err == nil {
		err = f.Sync() // some file systems report only here that they are full
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	if err := os.Chmod(f.Name(), 0o644); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
