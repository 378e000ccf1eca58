package disk

import (
	"bytes"
	"io"
	"os"
	"runtime"
)

// A Spool keeps bytes that are needed later, such as at the end of a run, in a file without a name, so that they do
// not occupy memory. If no file can be created or written, or if the system can't delete an open file, they stay in
// memory. The zero value is empty. It is not safe for concurrent use. The file is closed when the garbage collector
// frees the spool.
type Spool struct {
	f    *os.File
	n    int64  // bytes in the file
	rest []byte // bytes after those in the file
	full bool   // no more bytes go to the file
}

// spoolSize is how many bytes are collected before they are written to the file.
const spoolSize = 16 << 10

// Append adds bytes, and returns where they begin.
func (s *Spool) Append(b []byte) (at int64) {
	at = s.Size()
	s.rest = append(s.rest, b...)
	if len(s.rest) >= spoolSize && !s.full {
		s.full = !s.write()
	}
	return at
}

// write writes the rest to the file. If that fails, it returns false and loses nothing.
func (s *Spool) write() bool {
	if s.f == nil {
		if runtime.GOOS == "windows" {
			return false
		}
		f, err := Temp("brunt-spool-*")
		if err != nil {
			return false
		}
		s.f = f
	}
	if _, err := s.f.WriteAt(s.rest, s.n); err != nil {
		return false
	}
	s.n += int64(len(s.rest))
	s.rest = s.rest[:0]
	return true
}

// Size is the number of bytes.
func (s *Spool) Size() int64 { return s.n + int64(len(s.rest)) }

func (s *Spool) ReadAt(b []byte, at int64) (n int, err error) {
	if at < s.n {
		if n, err = s.f.ReadAt(b[:min(int64(len(b)), s.n-at)], at); err != nil {
			return n, err
		}
	}
	if n == len(b) {
		return n, nil
	}
	if n += copy(b[n:], s.rest[min(int64(len(s.rest)), at+int64(n)-s.n):]); n < len(b) {
		err = io.EOF
	}
	return n, err
}

// Reader reads all bytes so far. It is valid until the next Append.
func (s *Spool) Reader() io.Reader {
	if s.f == nil {
		return bytes.NewReader(s.rest)
	}
	return io.MultiReader(io.NewSectionReader(s.f, 0, s.n), bytes.NewReader(s.rest))
}
