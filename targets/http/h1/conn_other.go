//go:build !unix

package h1

import (
	"bufio"
	"io"
	"net"
)

// direct is empty, because direct input and output needs Unix.
type direct struct{}

func (c *Conn) GoDirect() {}

func (*direct) able() bool { return false }

func (*direct) waiting() bool { return false }

func (*direct) read([]byte) (int, error) { return 0, nil }

func (c *Conn) askDirect([]byte, net.Buffers) (*bufio.Reader, error) { return nil, nil }

// stillOpen returns true, because this system can't check a connection without waiting.
func stillOpen(*net.TCPConn) bool { return true }

// Unasked returns a reader of what the server sent without a request.
func (c *Conn) Unasked() io.Reader { return c }
