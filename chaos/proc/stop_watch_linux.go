package proc

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// stateReader reads the state of a process from a file that stays open. The file belongs to this process, and never to
// a successor with the same pid. It is the file of the main thread, as the kernel adds up all threads for the other.
type stateReader struct {
	seen
	fd int
}

func readState(id Identity) (stateReader, error) {
	fd, err := unix.Open(fmt.Sprintf("/proc/%d/task/%d/stat", id.PID, id.PID), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return stateReader{}, err
	}
	if !id.Alive() { // the file may be that of a successor
		_ = unix.Close(fd)
		return stateReader{}, ErrEnded
	}
	return stateReader{seen: seen{id: id}, fd: fd}, nil
}

func (r *stateReader) close() { _ = unix.Close(r.fd) }

// look reads the state. It returns when the stop was over.
func (r *stateReader) look(now time.Time) (over time.Time, killed bool) {
	var buf [128]byte // the state follows the name, which has at most 64 bytes
	n, err := unix.Pread(r.fd, buf[:], 0)
	i := bytes.LastIndexByte(buf[:max(n, 0)], ')')
	switch {
	case errors.Is(err, unix.ESRCH):
		return r.note(hasEnded, now)
	case i < 0 || i+2 >= n:
		return time.Time{}, false // it is not known
	}
	switch buf[i+2] {
	case 'T', 't':
		return r.note(isStopped, now)
	case 'Z', 'X':
		return r.note(hasEnded, now)
	}
	return r.note(runs, now)
}
