package disk

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Modes of files, before the umask.
const (
	Private fs.FileMode = 0o600 // files that may hold more than other users may know: plans, records of a run, logs
	Shared  fs.FileMode = 0o666 // reports
)

// Beside creates a new file in the folder of path. The caller renames it to path when it is complete. The umask
// applies to the file, unlike to a file of [os.CreateTemp] whose mode is changed.
func Beside(path string, mode fs.FileMode) (*os.File, error) {
	for {
		name := "." + filepath.Base(path) + "." + strings.ToLower(rand.Text()[:10])
		f, err := os.OpenFile(filepath.Join(filepath.Dir(path), name), os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
}

// Fresh creates a file at path for reading and writing. A file that is there already is removed, so that nothing is
// written through a symbolic link or into a pipe.
func Fresh(path string, mode fs.FileMode) (*os.File, error) {
	if is, err := os.Lstat(path); err == nil && is.IsDir() { // Remove takes an empty folder too
		return nil, &fs.PathError{Op: "open", Path: path, Err: syscall.EISDIR}
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
}

// Replace writes a file completely or not at all. It writes to a new file [Beside] it, which it renames to path at
// the end. A device or pipe at path, such as /dev/null, is written to and stays. The error for a file that can't be
// created is an [fs.PathError] that names path.
func Replace(path string, mode fs.FileMode, write func(io.Writer) error) error {
	if is, err := os.Stat(path); err == nil && is.Mode()&(fs.ModeDevice|fs.ModeNamedPipe) != 0 {
		return into(path, write)
	}
	f, err := Beside(path, mode)
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return &fs.PathError{Op: pe.Op, Path: path, Err: pe.Err}
	} else if err != nil {
		return err
	}
	err = buffered(f, write)
	if err == nil {
		err = f.Sync() // some file systems report only here that they are full
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// into writes to a device or pipe.
func into(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(buffered(f, write), f.Close())
}

// buffered calls write with a buffer before a file.
func buffered(f io.Writer, write func(io.Writer) error) error {
	b := bufio.NewWriterSize(f, 1<<16)
	if err := write(b); err != nil {
		return err
	}
	return b.Flush()
}

// Temp creates a file for the time of a run in the folder for temporary files, like [os.CreateTemp]. If there is no
// such folder, as in a container made from scratch, and TMPDIR names none, it uses /var/tmp or else the working
// directory. The file has no name any more where the system can remove an open file, so that a process that is killed
// leaves none. [Drop] closes it.
func Temp(pattern string) (f *os.File, err error) {
	err = inTemp(func(dir string) (err error) {
		f, err = os.CreateTemp(dir, pattern)
		return err
	})
	if err == nil {
		_ = os.Remove(f.Name()) // Windows keeps the name until Drop
	}
	return f, err
}

// Drop closes a file and removes it, if it still has a name.
func Drop(f interface {
	io.Closer
	Name() string
},
) error {
	err := f.Close()
	if gone := os.Remove(f.Name()); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	return err
}

// TempDir creates a folder for the time of a run in the same place as [Temp]. Its path is absolute.
func TempDir(pattern string) (path string, err error) {
	err = inTemp(func(dir string) (err error) {
		if path, err = os.MkdirTemp(dir, pattern); err == nil {
			path, err = filepath.Abs(path)
		}
		return err
	})
	return path, err
}

// inTemp calls try for each folder for temporary files until a call succeeds.
func inTemp(try func(dir string) error) error {
	err := try(os.TempDir())
	if err == nil {
		return nil
	}
	none := errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS)
	if os.Getenv("TMPDIR") == "" && none {
		for _, dir := range []string{"/var/tmp", "."} {
			if try(dir) == nil {
				return nil
			}
		}
	}
	return fmt.Errorf("%w; set TMPDIR to a folder that can be written and has room", err)
}
