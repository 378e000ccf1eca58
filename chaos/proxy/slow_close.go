package proxy

import (
	"errors"
	"time"
)

// SlowClose holds the end of a stream back for Delay, be it in order or by a reset:
// who waits for it waits so much longer, and the connection stays open meanwhile. What
// comes before the end is not held.
type SlowClose struct {
	Delay     time.Duration
	Share     float64   // of the connections, from 0 to 1; 0 is all
	Direction Direction // that the end goes; zero is Both
}

func (t SlowClose) check(bool) error {
	var err error
	if t.Delay <= 0 {
		err = errors.New("a slow close needs a delay")
	}
	return errors.Join(err, checkShare(t.Share), t.Direction.check())
}

func (t SlowClose) begin() effect {
	return effect{picks: true, gate: func(s spot) gate {
		if !t.Direction.or(Both).has(s.dir) || !some(t.Share, s) {
			return nil
		}
		return &closer{m: s.m, delay: t.Delay}
	}}
}

type closer struct {
	m     *meeting
	delay time.Duration
}

func (g *closer) next(it *item, _, _ time.Time) (time.Time, verdict) {
	if it.kind == data {
		return it.in, leave
	}
	g.m.touch()
	return it.in.Add(g.delay), leave
}
