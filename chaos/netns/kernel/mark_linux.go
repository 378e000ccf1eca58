package kernel

import (
	"errors"
	"math/rand/v2"
	"syscall"

	"golang.org/x/sys/unix"
)

// Each mark of brunt has the bits Marked under MarkBits.
const (
	Marked   = 1 << 30
	MarkBits = 3 << 30
)

// NewMark returns a random socket mark that other programs are unlikely to use.
func NewMark() uint32 { return Marked | rand.Uint32()>>2 }

// SetMark marks the packets of a socket.
func SetMark(c syscall.RawConn, mark uint32) error {
	var set error
	err := c.Control(func(fd uintptr) { set = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, int(mark)) })
	return errors.Join(err, set)
}

// MarkConn marks the packets of a connection.
func MarkConn(c syscall.Conn, mark uint32) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	return SetMark(raw, mark)
}
