// A conversation outlives its connections. It is a stream of bytes in each direction, between an end that dials and an
// end that listens.
//
//	Dial:   dial ---> TLS, both show certificates --> how far it has received --.
//	                                                                             >-- bytes that the other end lacks,
//	Listen: accept -> TLS, both show certificates --> how far it has received --'    acks each second
//
// Each end keeps written bytes until the other end has received them. When a connection breaks, or is silent for
// [silence], the dialing end dials again, both ends say how many bytes they have received, and continue from there: no
// byte is lost, and none arrives twice. An end that has no connection for its patience ends the conversation with an
// error. Bytes on a connection are deflated.
//
// The dialing end proves with its certificate that it has the private half of the run's key, before it sends anything.
// The listening end was started with the public half, and makes a key of its own. The first connection goes through the
// API server of the cluster, which knows the pod; at further ones, the listening end must have the same key.

package rpc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// Durations and bounds of a conversation.
const (
	ackEvery   = time.Second
	silence    = 4 * time.Second // after which a connection counts as broken
	lastWords  = 5 * time.Second // for which Close waits until the other end has everything
	mostAhead  = 64 << 20        // bytes that wait for the other end; further writes wait
	mostRead   = 1 << 20         // bytes that wait for Read; no more are received meanwhile
	mostPacket = 64 << 10        // bytes
)

// Kinds of packets. A packet is a byte for the kind, the length of the body in four bytes, and the body.
const (
	packetData byte = 1 + iota
	packetAck       // total number of received bytes, in eight bytes
	packetEnd       // no more bytes are written
)

// errAlone says that a conversation had no connection for too long.
var errAlone = errors.New("the other end was not reached")

// A LastingConn is one end of a conversation. It is safe for one reader and one writer at a time.
type LastingConn struct {
	patience time.Duration
	wake     *sync.Cond
	closing  func() // ends the accepting or dialing

	mu       sync.Mutex
	current  net.Conn // nil: there is none now
	out      []byte   // written, and not acknowledged
	base     uint64   // number of bytes that were written before out
	outEnd   bool     // no more bytes are written
	in       []byte   // received, and not read
	received uint64
	inEnd    bool
	ended    error // why the conversation has ended; nil: it has not
	lonely   *time.Timer
	why      error // last error of connecting
	acked    uint64
	busy     sync.WaitGroup
}

func newConn(patience, first time.Duration) *LastingConn {
	c := &LastingConn{patience: patience, closing: func() {}}
	c.wake = sync.NewCond(&c.mu)
	c.lonely = time.AfterFunc(first, c.alone)
	return c
}

// alone ends a conversation that had no connection for too long.
func (c *LastingConn) alone() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current != nil {
		return
	}
	err := fmt.Errorf("%w for %s", errAlone, c.patience)
	if c.why != nil {
		err = fmt.Errorf("%w: %w", err, c.why)
	}
	c.end(err)
}

// end ends the conversation. The lock is held.
func (c *LastingConn) end(err error) {
	if c.ended == nil {
		c.ended = err
	}
	if c.current != nil {
		_ = c.current.Close()
	}
	c.lonely.Stop()
	c.wake.Broadcast()
}

func (c *LastingConn) Read(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.in) == 0 {
		switch {
		case c.inEnd:
			return 0, io.EOF
		case c.ended != nil:
			return 0, c.ended
		}
		c.wake.Wait()
	}
	n := copy(p, c.in)
	if c.in = c.in[n:]; len(c.in) == 0 {
		c.in = nil
	}
	c.wake.Broadcast()
	return n, nil
}

// Write implements [io.Writer]. It waits only while mostAhead bytes wait for the other end.
func (c *LastingConn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.out) > mostAhead && c.ended == nil {
		c.wake.Wait()
	}
	if c.ended != nil {
		return 0, c.ended
	}
	if c.outEnd {
		return 0, net.ErrClosed
	}
	c.out = append(c.out, p...)
	c.wake.Broadcast()
	return len(p), nil
}

// CloseWrite ends the stream to the other end.
func (c *LastingConn) CloseWrite() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.outEnd = true
	c.wake.Broadcast()
	return c.ended
}

// Abort ends the conversation at once, with a reason that readers and writers get as their error.
func (c *LastingConn) Abort(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.end(why)
}

// Close ends the conversation when the other end has received everything, or after 5 s.
func (c *LastingConn) Close() error {
	late := time.AfterFunc(lastWords, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.end(net.ErrClosed)
	})
	defer late.Stop()
	c.mu.Lock()
	c.outEnd = true
	c.wake.Broadcast()
	for c.ended == nil && c.current != nil && (len(c.out) > 0 || !c.sentEnd()) {
		c.wake.Wait()
	}
	c.end(net.ErrClosed)
	c.mu.Unlock()
	c.closing()
	c.busy.Wait()
	return nil
}

// sentEnd reports whether the other end has received the end of the stream: it acknowledges one byte beyond the last.
// The lock is held.
func (c *LastingConn) sentEnd() bool { return c.acked > c.base+uint64(len(c.out)) }

// attach continues the conversation on a connection whose other end has received a number of bytes, and returns when
// the connection is broken.
func (c *LastingConn) attach(raw net.Conn, has uint64) error {
	conn := compress(raw)
	c.mu.Lock()
	if c.ended != nil {
		c.mu.Unlock()
		return c.ended
	}
	if has < c.base || has > c.base+uint64(len(c.out))+1 {
		c.mu.Unlock()
		return fmt.Errorf("the other end has %d bytes, of %d to %d", has, c.base, c.base+uint64(len(c.out)))
	}
	if c.current != nil {
		_ = c.current.Close()
	}
	c.current = conn
	c.ack(has)
	c.lonely.Stop()
	from := c.base
	c.wake.Broadcast()
	c.mu.Unlock()
	var both sync.WaitGroup
	var read error
	both.Go(func() { read = c.receive(conn); c.detach(conn) })
	both.Go(func() { c.send(conn, from); c.detach(conn) })
	both.Wait()
	return read
}

// detach notes that a connection is broken.
func (c *LastingConn) detach(conn net.Conn) {
	_ = conn.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current == conn {
		c.current = nil
		c.lonely.Reset(c.patience)
	}
	c.wake.Broadcast()
}

// ack drops the bytes that the other end has received. The lock is held.
func (c *LastingConn) ack(has uint64) {
	c.acked = max(c.acked, has)
	if n := min(has, c.base+uint64(len(c.out))); n > c.base {
		c.out = c.out[n-c.base:]
		c.base = n
	}
	c.wake.Broadcast()
}

// has returns the number of received bytes for an ack; the end of the stream counts as a byte. The lock is held.
func (c *LastingConn) has() uint64 {
	if c.inEnd {
		return c.received + 1
	}
	return c.received
}

// send writes to a connection the bytes, from an offset on, that the other end has not received, and acks.
func (c *LastingConn) send(conn net.Conn, from uint64) {
	tick := time.NewTicker(ackEvery)
	defer tick.Stop()
	stop := make(chan struct{})
	var ticks sync.WaitGroup
	defer ticks.Wait()
	defer close(stop)
	due := true
	ticks.Go(func() {
		for {
			select {
			case <-tick.C:
				c.mu.Lock()
				due = true
				c.wake.Broadcast()
				c.mu.Unlock()
			case <-stop:
				return
			}
		}
	})
	announced, ended := uint64(0), false
	for {
		c.mu.Lock()
		for c.current == conn && !due && from == c.base+uint64(len(c.out)) && (!c.outEnd || ended) &&
			c.has()-announced < mostPacket &&
			(!c.inEnd || announced == c.has()) {
			c.wake.Wait()
		}
		if c.current != conn {
			c.mu.Unlock()
			return
		}
		var packet []byte
		if has := c.has(); due || has-announced >= mostPacket || c.inEnd && announced != has {
			packet = binary.BigEndian.AppendUint64([]byte{packetAck, 0, 0, 0, 8}, has)
			announced, due = has, false
		}
		from = max(from, c.base)
		if part := c.out[from-c.base:]; len(part) > 0 {
			part = part[:min(len(part), mostPacket)]
			packet = binary.BigEndian.AppendUint32(append(packet, packetData), uint32(len(part)))
			packet = append(packet, part...)
			from += uint64(len(part))
		} else if c.outEnd && !ended {
			packet, ended = append(packet, packetEnd, 0, 0, 0, 0), true
		}
		c.mu.Unlock()
		_ = conn.SetWriteDeadline(time.Now().Add(silence))
		if _, err := conn.Write(packet); err != nil {
			return
		}
	}
}

// receive reads from a connection until it is broken.
func (c *LastingConn) receive(conn net.Conn) error {
	head := make([]byte, 5)
	body := make([]byte, mostPacket)
	for {
		_ = conn.SetReadDeadline(time.Now().Add(silence))
		if _, err := io.ReadFull(conn, head); err != nil {
			return err
		}
		n := binary.BigEndian.Uint32(head[1:])
		if n > mostPacket {
			return fmt.Errorf("a packet of %d bytes", n)
		}
		if _, err := io.ReadFull(conn, body[:n]); err != nil {
			return err
		}
		if err := c.take(conn, head[0], body[:n]); err != nil {
			return err
		}
	}
}

// take processes a packet.
func (c *LastingConn) take(conn net.Conn, kind byte, body []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.current != conn { // another connection has replaced this one
		return net.ErrClosed
	}
	switch {
	case kind == packetData && !c.inEnd:
		for len(c.in) > mostRead && c.current == conn {
			c.wake.Wait()
		}
		if c.current != conn {
			return net.ErrClosed
		}
		c.in = append(c.in, body...)
		c.received += uint64(len(body))
	case kind == packetAck && len(body) == 8:
		has := binary.BigEndian.Uint64(body)
		if has > c.base+uint64(len(c.out))+1 {
			return errors.New("an ack of bytes that were not written")
		}
		c.ack(has)
	case kind == packetEnd:
		c.inEnd = true
	default:
		return fmt.Errorf("a packet of the kind %d", kind)
	}
	c.wake.Broadcast()
	return nil
}
