// Package disk reads and makes the files of a run so that no file can block brunt, fill its memory, or be read by
// others.
//
//	Read(path, most)     a whole file that a user names: at most so many bytes, from a pipe or a device as well
//	Limited(r, most)     the same of an answer or a stream
//	Line(r, most)        a line of one
//	Beside(path, mode)   a file that takes the place of another by a rename; the umask holds
//	Temp, TempDir        files for the time of a run; they need no /tmp
//
// The caller states a limit, because it knows how large such a file can be; the error names the limit.
package disk

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// pipeTime is how long a pipe or a device that a user names as a file may give nothing.
var pipeTime = 30 * time.Second

// writerPause is between two looks whether a named pipe has a writer.
const writerPause = 10 * time.Millisecond

// errTooLarge says that something has more than the bytes that are read of it.
var errTooLarge = errors.New("too large")

// Open opens a file for reading, and waits for nothing. A folder is an error. A pipe or device that gives nothing for
// 30 s while it is read ends with a timeout, and a pipe that nothing writes to in that time with an error.
func Open(path string) (io.ReadCloser, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	i, err := f.Stat()
	switch {
	case err != nil:
		return nil, errors.Join(err, f.Close())
	case i.IsDir():
		return nil, errors.Join(&fs.PathError{Op: "open", Path: path, Err: errors.New("it is a folder, not a file")},
			f.Close())
	case !i.Mode().IsRegular():
		return &stream{File: f, unread: i.Mode()&fs.ModeNamedPipe != 0}, nil
	}
	return f, nil
}

// A stream is a pipe or a device that is read as a file.
type stream struct {
	*os.File
	unread bool // a pipe of which nothing was read, and whose writer may be yet to come
}

// Read implements [io.Reader]. A named pipe whose writer is not there yet has an end like an empty file.
func (s *stream) Read(b []byte) (int, error) {
	until := time.Now().Add(pipeTime)
	_ = s.SetReadDeadline(until) // an error says that it never waits
	for {
		n, err := s.File.Read(b)
		s.unread = s.unread && n == 0
		late := errors.Is(err, os.ErrDeadlineExceeded)
		switch {
		case !s.unread || len(b) == 0 || !late && !errors.Is(err, io.EOF):
			return n, err
		case late || time.Now().After(until):
			return 0, &fs.PathError{Op: "read", Path: s.Name(), Err: errors.New("it is a pipe that nothing writes to")}
		}
		<-time.After(writerPause)
	}
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
	if err != nil && !errors.As(err, new(*fs.PathError)) {
		err = &fs.PathError{Op: "read", Path: path, Err: err}
	}
	return b, err
}

// Limited reads r to its end, and at most most bytes. More is [errTooLarge].
func Limited(r io.Reader, most int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(b)) > most {
		return nil, fmt.Errorf("%w: it has more than %s, and no more is read", errTooLarge, size(most))
	}
	return b, err
}

// Line reads a line with its end, of at most most bytes. A longer one is [errTooLarge]. As with
// [bufio.Reader.ReadBytes] the last line may lack its end, and comes with [io.EOF] then.
func Line(r *bufio.Reader, most int) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > most {
			return nil, fmt.Errorf("%w: a line has more than %s, and no more is read", errTooLarge, size(int64(most)))
		}
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
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

// Named words an error of a file: the file, and what is wrong with it.
func Named(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s: %w", pe.Path, pe.Err)
	}
	return err
}
