package mysql

import (
	"net"
	"time"
)

// wire is a socket that records the times of its last write and of the first read after it, and why it failed, which
// the driver does not report. It is not safe for concurrent use.
type wire struct {
	*net.TCPConn
	now         func() time.Duration
	sent, first time.Duration
	wrote       bool
	bytes       int64
	err         error
}

// reset clears the records.
func (w *wire) reset() { w.sent, w.first, w.wrote, w.err = 0, 0, false, nil }

func (w *wire) Write(b []byte) (int, error) {
	n, err := w.TCPConn.Write(b)
	w.sent, w.first, w.wrote = w.now(), 0, w.wrote || n > 0
	if err != nil {
		w.err = err
	}
	return n, err
}

func (w *wire) Read(b []byte) (int, error) {
	n, err := w.TCPConn.Read(b)
	if n > 0 && w.first == 0 {
		w.first = w.now()
	}
	w.bytes += int64(n)
	if err != nil {
		w.err = err
	}
	return n, err
}
