package stream

import (
	"bufio"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"brunt/scenarios/template"
	"brunt/targets"

	"github.com/gobwas/ws"
)

// Bounds on what a connection keeps of messages that no step has taken: beyond them the oldest are dropped.
const (
	mostQueued  = 1000
	mostKept    = 1 << 20 // bytes
	mostArrived = 10000   // times of messages that were not handed over yet
)

// closeTime is how long the other side has to end a stream that brunt closes.
const closeTime = time.Second

// conn is one connection. A goroutine reads its messages, each with its time, until it ends.
type conn struct {
	targets.Lease
	raw    net.Conn // TCP
	net    net.Conn // TLS over raw, or raw itself
	client *client

	key     string // what it was opened for: framing, or path and headers; empty: it is not in use yet
	framing *framing
	frames  *frames       // of a WebSocket; nil: TCP
	every   time.Duration // between two messages that are read; zero: as they come
	br      *bufio.Reader
	began   time.Duration // of the message that is read
	counts  bool          // the times of messages are kept

	writing sync.Mutex
	buf     []byte // of what is written

	wake    chan struct{} // has a message when something came
	stopped chan struct{} // closed when brunt closes the connection
	stop    sync.Once

	mu      sync.Mutex
	queue   []*message
	size    int // bytes in queue
	seq     int64
	arrived []arrival
	lost    error // why it ended; nil: it is open
	ended   time.Duration
	leaving bool // brunt has said that it closes
}

// arrival is when a message came.
type arrival struct {
	first, end time.Duration
	bytes      int
}

// begin starts to read. Br has what came behind a handshake; nil is nothing.
func (c *conn) begin(br *bufio.Reader) error {
	c.br = bufio.NewReaderSize(c.net, readBuffer)
	if br != nil && br.Buffered() > 0 {
		rest, _ := br.Peek(br.Buffered())
		c.br = bufio.NewReaderSize(&prefixed{Conn: c.net, rest: slices.Clone(rest)}, readBuffer)
	}
	if c.frames != nil {
		c.frames.began = func() { c.began = c.client.o.Now() }
		c.frames.answer = func(op ws.OpCode, data []byte) { _ = c.control(op, data) }
	}
	if !c.client.Go(c.read) {
		return targets.ErrAborted
	}
	return nil
}

// readBuffer is the size in bytes of the buffer of a connection: thousands are held at once.
const readBuffer = 2 << 10

// prefixed is a connection of which the first bytes were read already.
type prefixed struct {
	net.Conn
	rest []byte
}

// Read implements [io.Reader].
func (p *prefixed) Read(b []byte) (int, error) {
	if len(p.rest) > 0 {
		n := copy(b, p.rest)
		p.rest = p.rest[n:]
		return n, nil
	}
	return p.Conn.Read(b)
}

// read reads messages until the connection ends.
func (c *conn) read() {
	for {
		a := new(message)
		var err error
		if c.frames != nil {
			a.data, a.binary, err = c.frames.read(c.br)
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

// take queues a message.
func (c *conn) take(a *message) {
	c.mu.Lock()
	c.seq++
	a.seq = c.seq
	if c.counts && len(c.arrived) < mostArrived {
		c.arrived = append(c.arrived, arrival{first: a.first, end: a.end, bytes: len(a.data)})
	}
	c.queue = append(c.queue, a)
	c.size += len(a.data)
	for len(c.queue) > 1 && (len(c.queue) > mostQueued || c.size > mostKept) {
		c.drop(0)
	}
	c.mu.Unlock()
	c.signal()
}

// drop removes a message from the queue.
func (c *conn) drop(i int) {
	c.size -= len(c.queue[i].data)
	c.queue = slices.Delete(c.queue, i, i+1)
}

func (c *conn) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// end notes why the connection ended.
func (c *conn) end(err error) {
	c.mu.Lock()
	if c.lost == nil {
		c.lost, c.ended = err, c.client.o.Now()
	}
	c.mu.Unlock()
	c.signal()
}

// fault returns why and when the connection ended; nil: it is open.
func (c *conn) fault() (error, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lost, c.ended
}

// next returns the number of the next message.
func (c *conn) next() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seq + 1
}

// clear drops the messages that no step took.
func (c *conn) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queue, c.size = nil, 0
}

// arrivals returns the times of the messages that came since it was called last.
func (c *conn) arrivals() []arrival {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.arrived
	c.arrived = nil
	return list
}

// look takes the first message from number from on that fits, and returns the number up to which it looked; nil: there is none.
// The error is that of a connection that has ended.
func (c *conn) look(from int64, fits func(a *message) bool) (a *message, to int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, one := range c.queue {
		if one.seq >= from && fits(one) {
			c.drop(i)
			return one, one.seq + 1, nil
		}
	}
	return nil, c.seq + 1, c.lost
}

// wait waits for a message from number from on that fits.
func (c *conn) wait(from int64, deadline time.Duration, timer *time.Timer, fits func(a *message) bool) (*message, error) {
	for {
		a, to, err := c.look(from, fits)
		switch {
		case a != nil && a.end > deadline:
			return nil, targets.ErrLate
		case a != nil:
			return a, nil
		case err != nil:
			return nil, err
		}
		from = to
		left := deadline - c.client.o.Now()
		if left <= 0 {
			return nil, os.ErrDeadlineExceeded
		}
		timer.Reset(left)
		select {
		case <-c.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// send writes a message by a deadline, and returns when it was written.
func (c *conn) send(data []byte, binary bool, deadline time.Duration) (at time.Duration, err error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.frames != nil {
		op := ws.OpText
		if binary {
			op = ws.OpBinary
		}
		c.buf = appendFrame(c.buf[:0], op, data)
	} else if c.buf, err = c.framing.append(c.buf[:0], data); err != nil {
		return 0, err
	}
	_ = c.net.SetWriteDeadline(c.client.o.T0.Add(deadline))
	if err = c.write(); err != nil {
		err, _ = c.fault() // the reader may know better
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
	c.buf = appendFrame(c.buf[:0], op, data)
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
	if c.frames != nil {
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

// fits returns the function that tells the message that a step waits for.
func (k *match) fits(it *template.Iter, scratch *[]byte) func(a *message) bool {
	return func(a *message) (ok bool) {
		*scratch, ok = k.holds(a, it, *scratch)
		return ok
	}
}
