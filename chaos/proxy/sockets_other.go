//go:build !linux

package proxy

import (
	"io"
	"net"
)

// CloseSocket closes a socket.
func CloseSocket(c io.Closer) error { return c.Close() }

// resetSocket closes a connection with a TCP reset, which drops all unsent data.
func resetSocket(c *net.TCPConn) error {
	_ = c.SetLinger(0)
	return c.Close()
}

// dropped returns 0: the system does not tell.
func dropped(uintptr) uint32 { return 0 }
