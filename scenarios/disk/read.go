// Package disk reads and creates the files of a run. No file can block brunt, fill its memory, or be read by other
// users.
//
//	Read(path, most)     a whole file that a user names, of at most most bytes; also a pipe or a device
//	Limited(r, most)     an answer or a stream, of at most most bytes
//	Line(r, most)        one line of a stream
//	Beside(path, mode)   a file that replaces another by a rename; the umask applies
//	Temp, TempDir        files for the time of a run; they need no /tmp
//
// The caller states a limit, because it knows how large such a file can be. The error names the limit.
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

// pipeTime is how long a pipe or a device that a user names as a file may send nothing.
var pipeTime = 30 * time.Second

// writerPause is the time between two checks whether a named pipe has a writer.
const writerPause = 10 * time.Millisecond

// errTooLarge means that the input has more bytes than the limit.
var errTooLarge = errors.New("too large")

// Open opens a file for reading, without waiting. A folder is an error. If a pipe or device sends nothing for 30 s,
// reading it ends with a timeout. If nothing writes to a pipe in that time, reading it ends with an error.
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

// A stream is a pipe or a device that is read like a file.
type stream struct {
	*os.File
	unread bool // a pipe from which nothing was read yet, so that its writer may still come
}

// Read implements [io.Reader]. Without a writer, a named pipe looks like an empty file, so Read waits for one.
func (s *stream) Read(b []byte) (int, error) {
	until := time.Now().Add(pipeTime)
	_ = s.SetReadDeadline(until) // fails for a file that never makes a reader wait
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

// Read reads a whole file of at most most bytes. A larger file is [errTooLarge]. It reads not much more than that
// from a device without an end.
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

// Limited reads r to its end. More than most bytes are [errTooLarge].
func Limited(r io.Reader, most int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(b)) > most {
		return nil, fmt.Errorf("%w: it has more than %s, and no more is read", errTooLarge, size(most))
	}
	return b, err
}

// Line reads a line, including its end, of at most most bytes. A longer line is [errTooLarge]. As with
// [bufio.Reader.ReadBytes], the last line may lack its end; it is then returned with [io.EOF].
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

// Named rewords an error of a file: the file, and what is wrong with it.
func Named(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s: %w", pe.Path, pe.Err)
	}
	return err
}
