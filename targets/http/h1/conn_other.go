//go:build !unix

package h1

import (
	"bufio"
	"io"
	"net"
)

// direct is empty: direct input and output needs Unix.
type direct struct{}

func (c *Conn) GoDirect() {}

func (*direct) able() bool { return false }

func (*direct) waiting() bool { return false }

func (*direct) read([]byte) (int, error) { return 0, nil }

func (c *Conn) askDirect([]byte, net.Buffers) (*bufio.Reader, error) { return nil, nil }

// stillOpen returns true: this system cannot check a connection without waiting.
func stillOpen(*net.TCPConn) bool { return true }

// Unasked reads what the server sent before it was asked.
func (c *Conn) Unasked() io.Reader { return c }
