package rpc

import (
	"bufio"
	"io"
	"net"

	"github.com/klauspost/compress/flate"
)

// compressed is a connection whose bytes are deflated in both directions. Lines of JSON repeat their keys, and all of
// them pass the API server of a cluster; compressed, a worker's figures take a quarter of the bytes.
type compressed struct {
	net.Conn
	in  io.Reader
	out *flate.Writer
	buf *bufio.Writer
}

func compress(conn net.Conn) *compressed {
	c := &compressed{Conn: conn, in: flate.NewReader(conn), buf: bufio.NewWriter(conn)}
	c.out, _ = flate.NewWriter(c.buf, flate.BestSpeed) // it fails only for an unknown level
	return c
}

// Read implements [io.Reader]. It returns the bytes that have arrived, without waiting for more.
func (c *compressed) Read(p []byte) (int, error) { return c.in.Read(p) }

// Write implements [io.Writer]. It flushes, so that the other end can read all bytes.
func (c *compressed) Write(p []byte) (int, error) {
	if _, err := c.out.Write(p); err != nil {
		return 0, err
	}
	if err := c.out.Flush(); err != nil {
		return 0, err
	}
	return len(p), c.buf.Flush()
}
