package load

import (
	"math/rand/v2"
	"time"
)

// A Cursor goes over the arrivals of a schedule in order.
type Cursor interface {
	// Next returns the number of the next arrival and its intended time; ok is false at the end.
	Next() (n int64, at time.Duration, ok bool)
}

// NewCursor iterates over the arrivals of shape. Even arrival n is at the time where the area
// reaches n. Poisson arrivals are drawn second by second, each second from the seed and its own
// number, so every worker computes the same arrivals without drawing those of other seconds.
func NewCursor(shape Shape, begin time.Duration, poisson bool, seed uint64, part Part) Cursor {
	if poisson {
		return &poissonCursor{shape: shape, at: begin, end: shape.End(), seed: seed, part: part}
	}
	return &evenCursor{shape: shape, total: arrivals(shape.Area(shape.End())), next: part.Index, step: max(1, part.Of)}
}

type evenCursor struct {
	shape             Shape
	next, step, total int64
}

func (c *evenCursor) Next() (int64, time.Duration, bool) {
	if c.next >= c.total {
		return 0, 0, false
	}
	n := c.next
	c.next += c.step
	return n, c.shape.Inverse(float64(n)), true
}

// poissonCursor draws a unit-rate Poisson process on the area of each second. Gaps are
// exponential with mean 1, so the count of a second is Poisson distributed with its area as mean,
// and the arrivals are distributed like sorted uniforms.
type poissonCursor struct {
	shape Shape
	at    time.Duration // begin of the second drawn last, plus one second
	end   time.Duration
	seed  uint64
	part  Part
	n     int64
	due   []time.Duration // of the second drawn last
	i     int
}

func (c *poissonCursor) Next() (int64, time.Duration, bool) {
	for {
		for c.i < len(c.due) {
			at, n := c.due[c.i], c.n
			c.i++
			c.n++
			if c.part.takes(n) {
				return n, at, true
			}
		}
		if c.at >= c.end {
			return 0, 0, false
		}
		c.draw()
	}
}

func (c *poissonCursor) draw() {
	to := min(c.at+time.Second, c.end)
	low, high := c.shape.Area(c.at), c.shape.Area(to)
	r := rand.New(rand.NewPCG(c.seed, uint64(c.at)))
	c.due, c.i = c.due[:0], 0
	for a := low + r.ExpFloat64(); a < high; a += r.ExpFloat64() {
		c.due = append(c.due, c.shape.Inverse(a))
	}
	c.at = to
}
