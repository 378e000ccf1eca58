package load

import (
	"math/rand/v2"
	"time"
)

// A Cursor goes over the arrivals of a schedule in order.
type Cursor interface {
	// Next gives the number of the next arrival and when it is intended; ok is
	// false at the end.
	Next() (n int64, at time.Duration, ok bool)
}

// Part says which arrivals a worker takes: those with n mod Of = Index. The zero
// value takes all.
type Part struct{ Index, Of int64 }

func (p Part) takes(n int64) bool { return p.Of <= 1 || n%p.Of == p.Index }

// NewCursor goes over the arrivals of shape. Even arrival n is where the area
// reaches n. Poisson arrivals are drawn second by second, each from seed and its
// second alone, so that every worker finds the same ones without having drawn
// those of the others.
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

// poissonCursor draws a unit-rate Poisson process on the area of each second: the
// gaps are exponential with mean 1, so that the count of a second is Poisson
// distributed with its area as mean and the arrivals lie as sorted uniforms do.
type poissonCursor struct {
	shape Shape
	at    time.Duration // begin of the second drawn last, plus one
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
