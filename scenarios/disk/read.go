// Package disk reads and makes the files of a run so that no file can hold brunt up, fill its memory, or be read by
// others.
//
//	Read(path, most)     a whole file that a user names: at most so many bytes, from a pipe or a device as well
//	Limited(r, most)     the same of an answer or a stream
//	Beside(path, mode)   a file that takes the place of another by a rename; the umask holds
//	Temp, TempDir        files for the time of a run; they need no /tmp
//
// A limit is stated by the caller, which knows how large such a file is at most; the error names it.
package disk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// pipeTime is how long a pipe or a device that a user names as a file may take to give its content.
const pipeTime = 30 * time.Second

// errTooLarge says that something has more than the bytes that are read of it.
var errTooLarge = errors.New("too large")

// Open opens a file for reading without waiting for the other end of a named pipe. A folder is an error, and so is a
// pipe that nothing writes to. A pipe or device that gives nothing for 30 s ends with a timeout.
func Open(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	i, err := f.Stat()
	switch {
	case err != nil:
		return nil, errors.Join(err, f.Close())
	case i.IsDir():
		return nil, errors.Join(&fs.PathError{Op: "open", Path: path, Err: errors.New("it is a folder, not a file")}, f.Close())
	case !i.Mode().IsRegular():
		_ = f.SetReadDeadline(time.Now().Add(pipeTime)) // an error says that it never waits
	}
	return f, nil
}

// Read reads a whole file of at most most bytes. A larger one is [errTooLarge]; of a device without an end no more is
// read than that.
func Read(path string, most int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := Limited(f, most)
	switch {
	case err != nil && !errors.As(err, new(*fs.PathError)):
		err = &fs.PathError{Op: "read", Path: path, Err: err}
	case err == nil && len(b) == 0 && pipe(f):
		err = &fs.PathError{Op: "read", Path: path, Err: errors.New("it is a pipe that nothing writes to")}
	}
	return b, err
}

func pipe(f *os.File) bool {
	i, err := f.Stat()
	return err == nil && i.Mode()&fs.ModeNamedPipe != 0
}

// Limited reads r to its end, and at most most bytes. More is [errTooLarge].
func Limited(r io.Reader, most int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(b)) > most {
		return nil, fmt.Errorf("%w: it has more than %s, and no more is read", errTooLarge, size(most))
	}
	return b, err
}

// size writes a limit for people.
func size(n int64) string {
	switch {
	case n >= 1<<30 && n%(1<<30) == 0:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}
