package toxics

import (
	"errors"
	"math/rand/v2"
	"time"

	"brunt/chaos/proxy"
)

// Slicer cuts the stream into pieces of Size ± Variation bytes and sends one piece per Delay, so that a
// message arrives in many parts. It affects the connections with a message that it cuts.
type Slicer struct {
	Size      int             // mean size of a piece in bytes
	Variation int             // largest deviation in bytes, uniform; less than Size
	Delay     time.Duration   // from one piece to the next
	Share     float64         // of the connections, from 0 to 1; 0 is all
	Direction proxy.Direction // zero is Both
}

func (t Slicer) Check(bool) error {
	var errs []error
	if t.Size <= 0 {
		errs = append(errs, errors.New("a slicer needs a size above 0"))
	}
	if t.Variation < 0 || t.Variation > 0 && t.Variation >= t.Size {
		errs = append(errs, errors.New("the variation is less than the size, and never negative"))
	}
	if t.Delay < 0 {
		errs = append(errs, errors.New("a delay can't be negative"))
	}
	return errors.Join(append(errs, checkShare(t.Share), t.Direction.Check())...)
}

func (t Slicer) Begin() proxy.Effect {
	return proxy.Effect{CountsItself: true, Gate: func(s proxy.Point) proxy.Gate {
		if !t.Direction.Or(proxy.Both).Has(s.Direction) || !s.Chosen(t.Share) {
			return nil
		}
		return &slicing{Slicer: t, point: s, rand: s.Random()}
	}}
}

type slicing struct {
	Slicer
	point proxy.Point
	rand  *rand.Rand
	cuts  time.Time // when the message arrived of which the last piece is a part
}

func (g *slicing) Piece() int {
	if g.Variation == 0 {
		return g.Size
	}
	return g.Size - g.Variation + g.rand.IntN(2*g.Variation+1)
}

func (g *slicing) Next(it *proxy.Item, left, _ time.Time) (time.Time, proxy.Verdict) {
	if it.Kind == proxy.Data {
		if it.Arrived.Equal(g.cuts) {
			g.point.Touch()
		}
		g.cuts = it.Arrived
	}
	if it.Kind != proxy.Data || left.IsZero() {
		return later(it.Arrived, left), proxy.Leave
	}
	return later(it.Arrived, left.Add(g.Delay)), proxy.Leave
}
