package stream

import (
	"net"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/park"
)

// conn is a stream to the other side: its wire, and the messages that came on it. A goroutine reads the messages,
// each with its time, until the stream ends.
type conn struct {
	targets.Lease // of the socket
	inbox

	client *client
	wire   Wire
	key    string        // identifies its use: framing, or path and headers; empty: not in use yet
	every  time.Duration // minimum time between two messages that are read; zero: no limit
	buf    []byte        // buffer of the bytes to write

	parking *park.Lot     // nil: it always keeps its reader
	pinger  *pinger       // nil: none
	stopped chan struct{} // closed when brunt closes the connection
	stop    sync.Once
}

// newConn returns the stream of a wire.
func (c *client) newConn(wire Wire) *conn {
	return &conn{
		wire: wire, client: c, inbox: inbox{now: c.o.Now, wake: make(chan struct{}, 1), lacks: &c.lacks},
		stopped: make(chan struct{}),
	}
}

// prepare assigns the connection to a stream.
func (c *conn) prepare(st *stream) {
	c.key, c.counts = st.key, st.call.stream != "" && c.client.o.Emit != nil
	if rate := st.call.read; rate > 0 {
		c.every = time.Duration(float64(time.Second) / rate)
	}
}

// begin starts to read, or parks the connection until something comes.
func (c *conn) begin() error {
	if c.parking == nil || !c.park() {
		return c.startReader()
	}
	return nil
}

// park leaves the connection without a reader until something comes. It returns false if that is not possible, or if
// brunt closes the connection.
func (c *conn) park() bool {
	s := c.socket()
	s.rest()
	if c.parking.Park(&s.place, s.raw) { // from now on another reader may own it
		return true
	}
	s.reading.parks = false
	return false
}

// unparked gives the connection a reader again.
func (c *conn) unparked() {
	if err := c.startReader(); err != nil {
		c.end(err)
	}
}

// closed ends the connection if it is parked. Its socket is closed, which the kernel does not report.
func (c *conn) closed() {
	if c.parking.Take(&c.socket().place) {
		c.end(net.ErrClosed)
	}
}

// startReader starts to read.
func (c *conn) startReader() error {
	if !c.client.Go(c.read) {
		return targets.ErrAborted
	}
	return nil
}

// read reads messages until the connection ends or is parked.
func (c *conn) read() {
	for {
		a, err := c.receive()
		if err == errIdle {
			if c.park() {
				return
			}
			continue
		}
		if err != nil {
			c.end(err)
			return
		}
		c.take(a)
		if c.every > 0 {
			select {
			case <-time.After(c.every):
			case <-c.stopped:
			}
		}
	}
}

// receive reads a message. It turns a panic into an error, which ends the connection, because it runs in the
// connection's own goroutine.
func (c *conn) receive() (a *Message, err error) {
	defer scenarios.Recover(&err)
	return c.wire.Read()
}

// send writes a message by a deadline, and returns when it was written.
func (c *conn) send(data []byte, binary bool, deadline time.Duration) (at time.Duration, err error) {
	if c.buf, err = c.wire.Append(c.buf[:0], data, binary); err != nil {
		return 0, err
	}
	if at, err = c.wire.Write(c.buf, deadline); err != nil {
		c.end(err)
		_, err = c.fault() // the reader may know a better reason
	}
	if cap(c.buf) > mostBuffer {
		c.buf = nil
	}
	return at, err
}

// mostBuffer is the maximum size in bytes of a buffer that is kept for the next message.
const mostBuffer = 64 << 10

// leave tells the other side that brunt closes the stream. The other side has a second to end it; answers says
// whether it will confirm.
func (c *conn) leave() (answers bool, err error) {
	c.mu.Lock()
	over := c.lost != nil || c.leaving
	c.leaving = true
	c.mu.Unlock()
	if over {
		return true, nil
	}
	return c.wire.Leave()
}

// Close ends the connection: at once, or after leave when the other side has answered.
func (c *conn) Close() error {
	c.stop.Do(func() {
		close(c.stopped)
		if c.pinger != nil {
			c.pinger.stop()
		}
	})
	c.mu.Lock()
	left := c.leaving && c.lost == nil
	c.mu.Unlock()
	if c.parking == nil {
		return c.wire.Close(left)
	}
	s := c.socket()
	left = left && !s.datagrams()
	if left && c.parking.TakeAt(&s.place, time.Now().Add(CloseTime), func() {
		_ = s.raw.Close()
		c.end(net.ErrClosed)
	}) {
		return nil
	}
	err := c.wire.Close(left)
	if !left {
		c.closed()
	}
	return err
}
