// Package disk reads and creates the files of a run. No file can block brunt, fill its memory, or be read by other
// users.
//
//	Open(path), OpenIn(root, name)  a regular file; a pipe, a device or a folder is an error at once
//	OpenRoot(dir)                   a folder; a pipe or a device is an error at once
//	Read(path, most)                a whole regular file, of at most most bytes
//	ReadGiven(path, most)           a file that the command line names: also what brunt inherited, such as /dev/stdin
//	Limited(r, most)                an answer or a stream, of at most most bytes
//	Line(r, most)                   one line of a stream
//	Digest(path), DigestOf(r)       the SHA-256 digest of a regular file, or of a stream
//	Fresh(path, mode)               a new file in place of what is there
//	Beside(path, mode)              a file that replaces another by a rename; the umask applies
//	Temp, TempDir                   files for the time of a run; they need no /tmp
//	Newest(dir, name, most)         the files of a name in the folders beside another, such as of earlier runs
//
// The caller states a limit, because it knows how large such a file can be. The error names the limit.
// TestOpens (scenarios/structure) finds each place that opens a file in another way.
package disk

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"
)

// pipeTime is how long a pipe or a device that the command line names as a file may send nothing.
var pipeTime = 30 * time.Second

// errTooLarge means that the input has more bytes than the limit.
var errTooLarge = errors.New("too large")

// A kindError says that a path leads to something other than a regular file.
type kindError string

func (e kindError) Error() string { return fmt.Sprintf("it is a %s, not a file", string(e)) }

// errPipe is the kindError of a named pipe.
const errPipe = kindError("pipe")

// checkKind refuses everything but a regular file.
func checkKind(path string, info fs.FileInfo) error {
	kind := kindError("device")
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		kind = "folder"
	case mode&fs.ModeNamedPipe != 0:
		kind = errPipe
	case mode&fs.ModeSocket != 0:
		kind = "socket"
	}
	return &fs.PathError{Op: "open", Path: path, Err: kind}
}

// Open opens a regular file for reading. Anything else is an error at once: a pipe could block brunt, a device may have
// no end, and opening one may change it. A symbolic link stands for what it leads to.
func Open(path string) (*os.File, error) {
	return open(path, os.Stat, os.OpenFile)
}

// OpenIn is like [Open], for a file below a folder.
func OpenIn(root *os.Root, name string) (*os.File, error) {
	return open(name, root.Stat, root.OpenFile)
}

// OpenRoot opens a folder whose files [OpenIn] opens. Anything else is an error at once: opening a pipe would wait for
// a writer. A symbolic link stands for what it leads to.
func OpenRoot(dir string) (*os.Root, error) {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: dir, Err: errors.New("it is no folder")}
	}
	return os.OpenRoot(dir)
}

// open checks the kind of a file before it opens it, so that a device stays untouched, and again afterwards, because
// the path may lead elsewhere by then. Without O_NONBLOCK, opening a pipe would wait for a writer.
func open(path string, stat func(string) (fs.FileInfo, error),
	openFile func(string, int, fs.FileMode) (*os.File, error),
) (*os.File, error) {
	info, err := stat(path)
	if err != nil {
		if pe, ok := errors.AsType[*fs.PathError](err); ok {
			err = &fs.PathError{Op: "open", Path: path, Err: pe.Err}
		}
		return nil, err
	}
	if err := checkKind(path, info); err != nil {
		return nil, err
	}
	f, err := openFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil {
		err = checkKind(path, info)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// openGiven is like [Open], for a path on the command line. It also opens a descriptor that brunt inherited, such as
// /dev/stdin or a shell's <(…), whatever it is but a folder. Reading it ends with an error if nothing comes from it for
// 30 s.
func openGiven(path string) (io.ReadCloser, error) {
	if !inherited(path) {
		f, err := Open(path)
		if errors.Is(err, errPipe) {
			err = &fs.PathError{Op: "open", Path: path, Err: fmt.Errorf("%w; give its content by /dev/stdin", errPipe)}
		}
		if err != nil {
			return nil, err
		}
		return f, nil
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = checkKind(path, info)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &stream{File: f}, nil
}

// inherited reports whether a path names a descriptor of this process.
func inherited(path string) bool {
	if path == "/dev/stdin" {
		return true
	}
	for _, dir := range []string{"/dev/fd/", "/proc/self/fd/"} {
		if n, ok := strings.CutPrefix(path, dir); ok && n != "" && strings.Trim(n, "0123456789") == "" {
			return true
		}
	}
	return false
}

// A stream is an inherited descriptor that is read like a file.
type stream struct{ *os.File }

// Read implements [io.Reader].
func (s *stream) Read(b []byte) (int, error) {
	_ = s.SetReadDeadline(time.Now().Add(pipeTime)) // fails for a file that never makes a reader wait
	n, err := s.File.Read(b)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = &fs.PathError{Op: "read", Path: s.Name(), Err: fmt.Errorf("nothing came from it for %s", pipeTime)}
	}
	return n, err
}

// Read reads a whole regular file of at most most bytes. A larger file is [errTooLarge].
func Read(path string, most int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	return whole(f, path, most)
}

// ReadGiven is like [Read], for a path on the command line. It also reads a descriptor that brunt inherited, such as
// /dev/stdin or a shell's <(…): not much more than most bytes, and not longer than 30 s in which nothing comes.
func ReadGiven(path string, most int64) ([]byte, error) {
	f, err := openGiven(path)
	if err != nil {
		return nil, err
	}
	return whole(f, path, most)
}

// whole reads a file to its end and closes it.
func whole(f io.ReadCloser, path string, most int64) ([]byte, error) {
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

// Digest returns the SHA-256 digest of a regular file.
func Digest(path string) (sum [sha256.Size]byte, err error) {
	f, err := Open(path)
	if err != nil {
		return sum, err
	}
	defer f.Close()
	return DigestOf(f)
}

// DigestOf returns the SHA-256 digest of a stream, which it reads to its end.
func DigestOf(r io.Reader) (sum [sha256.Size]byte, err error) {
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return sum, err
	}
	return [sha256.Size]byte(h.Sum(nil)), nil
}
