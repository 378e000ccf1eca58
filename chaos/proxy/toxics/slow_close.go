package toxics

import (
	"errors"
	"time"

	"brunt/chaos/proxy"
)

// SlowClose delays the end of a stream, a close as well as a reset, by Delay. The connection stays open
// for that time. Bytes before the end are not delayed.
type SlowClose struct {
	Delay     time.Duration
	Share     float64         // of the connections, from 0 to 1; 0 is all
	Direction proxy.Direction // of the end of the stream; zero is Both
}

func (t SlowClose) Check(bool) error {
	var err error
	if t.Delay <= 0 {
		err = errors.New("a slow close needs a delay")
	}
	return errors.Join(err, checkShare(t.Share), t.Direction.Check())
}

func (t SlowClose) Begin() proxy.Effect {
	return proxy.Effect{CountsItself: true, Gate: func(s proxy.Point) proxy.Gate {
		if !t.Direction.Or(proxy.Both).Has(s.Direction) || !s.Chosen(t.Share) {
			return nil
		}
		return &closer{point: s, delay: t.Delay}
	}}
}

type closer struct {
	point proxy.Point
	delay time.Duration
}

func (g *closer) Next(it *proxy.Item, _, _ time.Time) (time.Time, proxy.Verdict) {
	if it.Kind == proxy.Data {
		return it.Arrived, proxy.Leave
	}
	g.point.Touch()
	return it.Arrived.Add(g.delay), proxy.Leave
}
