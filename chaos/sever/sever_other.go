//go:build !linux

package sever

import (
	"io"
	"net"
)

// Shut closes a socket.
func Shut(c io.Closer) error { return c.Close() }

// Reset closes a connection by a reset, with all that is on its way.
func Reset(c *net.TCPConn) error {
	_ = c.SetLinger(0)
	return c.Close()
}
