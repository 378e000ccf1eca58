package park

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"brunt/scenarios/budget"
)

// idleTime is how long, approximately, a connection is idle before it loses its reader.
const idleTime = time.Second

// A Conn is a connection that has a reader only while something comes. Thousands of connections are open at once, and a
// reader for each would need a stack and a buffer.
//
//	parked --something comes--> a message --nothing for idleTime--> parked
//	                             '- if the one before came within idleTime: wait for the next
type Conn struct {
	net.Conn
	Plain bool          // no data is buffered above the kernel, as it can be with TLS
	Last  time.Duration // when the last message came
	Waits bool          // the reader waits for the first byte of a message
	Claim budget.Claim  // of the message that is being read

	armed time.Duration // when the deadline of a wait was set; zero: no deadline is set
	mu    sync.Mutex
	left  bool // the deadline is that of LeaveBy
}

// Wait is called before a message is read. If it returns false, the reader must end.
func (c *Conn) Wait(now time.Duration) bool {
	gap := now - c.Last
	c.Last = now
	if c.Plain && gap >= idleTime {
		return false
	}
	c.Waits = true
	if c.armed == 0 || now-c.armed >= idleTime/2 {
		c.armed = now
		c.readUntil(time.Now().Add(idleTime))
	}
	return true
}

// Read implements [net.Conn]. Within a message it goes on when the wait would end.
func (c *Conn) Read(b []byte) (n int, err error) {
	for {
		n, err = c.Conn.Read(b)
		if over := c.Claim.Take(2 * n); over != nil { // a message that grows is copied
			return n, over
		}
		if n > 0 || c.Waits || c.armed == 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
		c.Rest()
	}
}

// Idle ends a wait, and reports whether a read failed only because nothing came.
func (c *Conn) Idle(err error) bool {
	waited := c.Waits
	c.Waits = false
	if !waited || !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.left
}

// Rest removes the deadline of a wait. It is called before the connection is parked.
func (c *Conn) Rest() {
	if c.armed != 0 {
		c.armed = 0
		c.readUntil(time.Time{})
	}
}

// LeaveBy gives the other side until a time to end the connection.
func (c *Conn) LeaveBy(at time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = true
	return c.SetReadDeadline(at)
}

// readUntil sets the deadline of reads, unless brunt leaves; zero means no deadline.
func (c *Conn) readUntil(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.left {
		_ = c.SetReadDeadline(at)
	}
}
