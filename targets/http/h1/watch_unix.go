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

// watched is a TCP connection that a goroutine other than its reader can check for unprocessed
// data or an end from the peer.
//
//	Read: [dealt with all] -> wait -> bytes, taken
//
// Subtle: for the checking goroutine, taking bytes and marking them as taken is one atomic step. Otherwise an end
// that was read but not yet processed would look like silence.
type watched struct {
	*net.TCPConn
	rc   syscall.RawConn
	step func(fd uintptr) bool // take, bound once because binding allocates

	b   []byte // the reader's buffer
	n   int
	err error

	mu    sync.Mutex
	taken bool // the data of the last read is still being processed
}

// NewWatched watches c. It is nil if c can't be watched.
func NewWatched(c *net.TCPConn) *watched {
	rc, err := c.SyscallConn()
	if err != nil {
		return nil
	}
	w := &watched{TCPConn: c, rc: rc}
	w.step = w.take
	return w
}

// Read implements [io.Reader]. Each call marks the data of the previous call as processed.
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

// take reads the available data. It returns false if it must wait.
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

// Quiet reports whether all data from the peer is processed and the peer has not closed the
// connection.
func (w *watched) Quiet() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.taken && stillOpen(w.TCPConn)
}
