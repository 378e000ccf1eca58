//go:build unix

package targets

import (
	"net"

	"golang.org/x/sys/unix"
)

// stillOpen tells whether an idle connection can be used: the other side has
// neither closed it nor sent what nobody asked for. A client that skips this turns
// every orderly restart of a server into errors that no user would see.
func stillOpen(c *net.TCPConn) bool {
	if c == nil {
		return true
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	open := false
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		_, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		open = err == unix.EAGAIN || err == unix.EWOULDBLOCK
	})
	return err == nil && open
}
