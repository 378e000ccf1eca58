package stream

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"brunt/targets"

	"github.com/gobwas/ws"
)

// closeTime is how long the other side has to end a stream that brunt closes.
const closeTime = time.Second

// conn is one connection. A goroutine reads its messages, each with its time, until it ends.
type conn struct {
	targets.Lease
	raw    net.Conn // TCP
	net    net.Conn // TLS over raw, or raw itself
	client *client

	inbox

	key       string // what it was opened for: framing, or path and headers; empty: it is not in use yet
	framing   *framing
	webSocket *webSocket    // nil: TCP
	every     time.Duration // between two messages that are read; zero: as they come
	br        *bufio.Reader
	began     time.Duration // of the message that is read

	writing sync.Mutex
	buf     []byte // of what is written

	stopped chan struct{} // closed when brunt closes the connection
	stop    sync.Once
}

// begin starts to read. Br has what came behind a handshake; nil is nothing.
func (c *conn) begin(br *bufio.Reader) error {
	from := io.Reader(c.net)
	if br != nil && br.Buffered() > 0 {
		rest, _ := br.Peek(br.Buffered())
		from = io.MultiReader(bytes.NewReader(slices.Clone(rest)), c.net)
	}
	c.br = bufio.NewReaderSize(from, readBuffer)
	if c.webSocket != nil {
		c.webSocket.began = func() { c.began = c.client.o.Now() }
		c.webSocket.answer = func(op ws.OpCode, data []byte) { _ = c.control(op, data) }
	}
	if !c.client.Go(c.read) {
		return targets.ErrAborted
	}
	return nil
}

// readBuffer is the size in bytes of the buffer of a connection: thousands are held at once.
const readBuffer = 2 << 10

// read reads messages until the connection ends.
func (c *conn) read() {
	for {
		a := new(message)
		var err error
		if c.webSocket != nil {
			a.data, a.binary, err = c.webSocket.read(c.br)
		} else {
			a.data, err = c.framing.read(c.br, func() { c.began = c.client.o.Now() })
		}
		if err != nil {
			c.end(err)
			_ = c.raw.Close()
			return
		}
		a.first, a.end = c.began, c.client.o.Now()
		c.take(a)
		if c.every > 0 {
			select {
			case <-time.After(c.every):
			case <-c.stopped:
			}
		}
	}
}

// send writes a message by a deadline, and returns when it was written.
func (c *conn) send(data []byte, binary bool, deadline time.Duration) (at time.Duration, err error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.webSocket != nil {
		op := ws.OpText
		if binary {
			op = ws.OpBinary
		}
		c.buf = appendMasked(c.buf[:0], op, data)
	} else if c.buf, err = c.framing.append(c.buf[:0], data); err != nil {
		return 0, err
	}
	_ = c.net.SetWriteDeadline(c.client.o.T0.Add(deadline))
	if err = c.write(); err != nil {
		_, err = c.fault() // the reader may know better
	}
	return c.client.o.Now(), err
}

// write writes the buffer. What could not be written as a whole ends the connection.
func (c *conn) write() error {
	_, err := c.net.Write(c.buf)
	if err != nil {
		c.end(err)
		_ = c.raw.Close()
	}
	if cap(c.buf) > 64<<10 {
		c.buf = nil
	}
	return err
}

// control sends a control frame.
func (c *conn) control(op ws.OpCode, data []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.buf = appendMasked(c.buf[:0], op, data)
	_ = c.net.SetWriteDeadline(time.Now().Add(closeTime))
	return c.write()
}

// leave says that brunt closes the stream. The other side has a second to end it.
func (c *conn) leave() error {
	c.mu.Lock()
	over := c.lost != nil || c.leaving
	c.leaving = true
	c.mu.Unlock()
	if over {
		return nil
	}
	if c.webSocket != nil {
		return c.control(ws.OpClose, ws.NewCloseFrameBody(ws.StatusNormalClosure, ""))
	}
	if half, ok := c.net.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// Close ends the connection: at once, or when the other side has answered what leave said.
func (c *conn) Close() error {
	c.stop.Do(func() { close(c.stopped) })
	c.mu.Lock()
	waits := c.leaving && c.lost == nil && c.br != nil
	c.mu.Unlock()
	if waits {
		return c.net.SetReadDeadline(time.Now().Add(closeTime))
	}
	return c.raw.Close()
}
