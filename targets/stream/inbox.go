package stream

import (
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"brunt/targets"
)

// Limits on messages of a connection that no step has taken. If they are reached, the oldest messages are dropped.
const (
	mostQueued  = 1000
	mostKept    = 1 << 20 // bytes
	mostArrived = 10000   // times of messages that were not passed on yet
)

// inbox holds the messages that came on a connection, and how the connection ended.
type inbox struct {
	now    func() time.Duration
	wake   chan struct{} // receives a value when something came
	counts bool          // the times of messages are kept
	lacks  *lacks

	mu      sync.Mutex
	queue   []*Message
	size    int // bytes in queue
	seq     int64
	arrived []arrival
	lost    error // why the connection ended; nil: it is open
	ended   time.Duration
	leaving bool // brunt has announced that it closes the connection
}

// lacks counts the messages of a client that were not kept.
type lacks struct{ dropped, untimed atomic.Int64 }

// arrival is when a message came.
type arrival struct {
	first, end time.Duration
	bytes      int
}

// take queues a message.
func (c *inbox) take(a *Message) {
	c.mu.Lock()
	c.seq++
	a.seq = c.seq
	switch {
	case !c.counts:
	case len(c.arrived) == mostArrived:
		c.lacks.untimed.Add(1)
	default:
		c.arrived = append(c.arrived, arrival{first: a.First, end: a.End, bytes: len(a.Data)})
	}
	c.queue = append(c.queue, a)
	c.size += len(a.Data)
	for len(c.queue) > 1 && (len(c.queue) > mostQueued || c.size > mostKept) {
		c.queue[0].Forget()
		c.drop(0)
		c.lacks.dropped.Add(1)
	}
	c.mu.Unlock()
	c.signal()
}

// drop removes a message from the queue.
func (c *inbox) drop(i int) {
	c.size -= len(c.queue[i].Data)
	c.queue = slices.Delete(c.queue, i, i+1)
}

func (c *inbox) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// end notes why the connection ended.
func (c *inbox) end(err error) {
	c.mu.Lock()
	if c.lost == nil {
		c.lost, c.ended = err, c.now()
	}
	c.mu.Unlock()
	c.signal()
}

// fault returns when and why the connection ended. A nil error means that it is open.
func (c *inbox) fault() (time.Duration, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended, c.lost
}

// next returns the number of the next message.
func (c *inbox) next() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seq + 1
}

// clear drops all messages that no step took.
func (c *inbox) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.queue {
		a.Forget()
	}
	c.queue, c.size = nil, 0
}

// arrivals returns the times of the messages that came since its last call. Later times are stored in the memory of
// spare.
func (c *inbox) arrivals(spare []arrival) []arrival {
	c.mu.Lock()
	defer c.mu.Unlock()
	list := c.arrived
	c.arrived = spare[:0]
	return list
}

// pick takes the first message that fits, beginning with number from, and returns the number up to which it looked.
// The message is nil if none fits. The error is the reason why the connection ended.
func (c *inbox) pick(from int64, fits func(a *Message) bool) (a *Message, to int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, one := range c.queue {
		if one.seq < from {
			continue
		}
		fit := fits(one)
		if one.broken != nil { // no later message helps
			c.lost, c.ended = one.broken, one.End
			one.Forget()
			c.drop(i)
			break
		}
		if fit {
			c.drop(i)
			return one, one.seq + 1, nil
		}
	}
	return nil, c.seq + 1, c.lost
}

// wait waits for a message that fits, beginning with number from. After returns the timer for the wait.
func (c *inbox) wait(
	from int64, deadline time.Duration, after func(time.Duration) *time.Timer, fits func(a *Message) bool,
) (*Message, error) {
	for {
		a, to, err := c.pick(from, fits)
		switch {
		case a != nil && a.End > deadline:
			return nil, targets.ErrLate
		case a != nil:
			return a, nil
		case err != nil:
			return nil, err
		}
		from = to
		left := deadline - c.now()
		if left <= 0 {
			return nil, os.ErrDeadlineExceeded
		}
		timer := after(left)
		select {
		case <-c.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// unread reports whether there are messages that no step took.
func (c *inbox) unread() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.queue) > 0
}
