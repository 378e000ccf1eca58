//go:build unix

package h1

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// watched is a TCP connection of which another goroutine than its reader can tell
// whether the peer has said something, or closed it, that was not dealt with yet.
//
//	Read: [dealt with all] -> wait -> bytes, taken
//
// subtle: taking bytes and noting that they were taken is one step to the goroutine that looks;
// otherwise an end that was read and not yet understood would look like silence.
type watched struct {
	*net.TCPConn
	rc   syscall.RawConn
	step func(fd uintptr) bool // take, bound once as binding allocates

	b   []byte // the reader's own
	n   int
	err error

	mu    sync.Mutex
	taken bool // what was read last is being dealt with
}

// NewWatched watches c; nil is that this can't be done.
func NewWatched(c *net.TCPConn) *watched {
	rc, err := c.SyscallConn()
	if err != nil {
		return nil
	}
	w := &watched{TCPConn: c, rc: rc}
	w.step = w.take
	return w
}

// Read implements [io.Reader]. That it is called again says that what it gave before
// was dealt with.
func (w *watched) Read(b []byte) (int, error) {
	w.mu.Lock()
	w.taken = false
	w.mu.Unlock()
	w.b, w.n, w.err = b, 0, nil
	err := w.rc.Read(w.step)
	w.b = nil
	if err == nil {
		err = w.err
	}
	return w.n, err
}

// Take reads what there is; false tells to wait.
func (w *watched) take(fd uintptr) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := sysRead(int(fd), w.b)
	switch {
	case err == unix.EAGAIN:
		return false
	case err != nil:
		w.err = os.NewSyscallError("read", err)
	case n == 0:
		w.err = io.EOF
	default:
		w.n = n
	}
	w.taken = true
	return true
}

// Quiet reports whether the peer has said nothing that was not dealt with, and has not
// closed the connection.
func (w *watched) Quiet() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.taken && stillOpen(w.TCPConn)
}
