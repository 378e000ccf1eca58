//go:build !linux

package sockets

import (
	"io"
	"net"
)

// Close closes a socket.
func Close(c io.Closer) error { return c.Close() }

// Reset closes a connection with a TCP reset, which drops all unsent data.
func Reset(c *net.TCPConn) error {
	_ = c.SetLinger(0)
	return c.Close()
}
