package proxy

import (
	"errors"
	"time"
)

// Limit ends a connection once Bytes of it have passed: its destination gets so many
// and then the end, in order, and so does the other side behind what is on its way to
// it. They count from when the toxic was added.
type Limit struct {
	Bytes     int64
	Share     float64   // of the connections, from 0 to 1; 0 is all
	Direction Direction // of the bytes, counted for each by itself; zero is Back
}

func (t Limit) check(bool) error {
	var err error
	if t.Bytes <= 0 {
		err = errors.New("a limit needs a number of bytes above 0")
	}
	return errors.Join(err, checkShare(t.Share), t.Direction.check())
}

func (t Limit) begin() effect {
	return effect{gate: func(s spot) gate {
		if !t.Direction.or(Back).has(s.dir) || !some(t.Share, s) {
			return nil
		}
		return &limiter{left: t.Bytes}
	}}
}

type limiter struct{ left int64 }

func (g *limiter) piece() int { return int(min(g.left, bufferSize)) }

func (g *limiter) next(it *item, _, _ time.Time) (time.Time, verdict) {
	if g.left -= int64(len(it.b)); g.left == 0 && it.kind == data {
		return it.in, final
	}
	return it.in, leave
}
