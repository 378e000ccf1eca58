package toxics

import (
	"errors"
	"time"

	"brunt/chaos/proxy"
)

// Limit ends a connection after Bytes of it have passed. The receiver gets that many bytes and then the
// end of the stream; the other direction ends behind the bytes already on their way. The count starts
// when the toxic is added. It affects only the connections that it ends.
type Limit struct {
	Bytes     int64
	Share     float64         // of the connections, from 0 to 1; 0 is all
	Direction proxy.Direction // of the bytes, counted for each by itself; zero is Back
}

func (t Limit) Check(bool) error {
	var err error
	if t.Bytes <= 0 {
		err = errors.New("a limit needs a number of bytes above 0")
	}
	return errors.Join(err, checkShare(t.Share), t.Direction.Check())
}

func (t Limit) Begin() proxy.Effect {
	return proxy.Effect{CountsItself: true, Gate: func(s proxy.Point) proxy.Gate {
		if !t.Direction.Or(proxy.Back).Has(s.Direction) || !s.Chosen(t.Share) {
			return nil
		}
		return &limiter{point: s, left: t.Bytes}
	}}
}

// maxPiece is the largest piece of a limiter in bytes, one read of the proxy.
const maxPiece = 32 << 10

type limiter struct {
	point proxy.Point
	left  int64
}

func (g *limiter) Piece() int { return int(min(g.left, maxPiece)) }

func (g *limiter) Next(it *proxy.Item, _, _ time.Time) (time.Time, proxy.Verdict) {
	if g.left -= int64(len(it.Bytes)); g.left == 0 && it.Kind == proxy.Data {
		g.point.Touch()
		return it.Arrived, proxy.LeaveAndEnd
	}
	return it.Arrived, proxy.Leave
}
