package toxics

import (
	"time"

	"brunt/chaos/proxy"
)

// Blackhole swallows what is sent, in either direction: the sender sees it taken,
// nobody gets it. Connections stay open, new ones are accepted. When it is removed
// a connection that lost something is reset, as its stream is broken; the others
// go on.
//
// A connection that began under it and that its client ends is dropped at once.
type Blackhole struct{}

func (Blackhole) Check(bool) error { return nil }

func (Blackhole) Begin() proxy.Effect {
	return proxy.Effect{Admit: proxy.Wait, DropOnClose: true, Gate: func(proxy.Point) proxy.Gate { return hole{} }}
}

// hole loses everything.
type hole struct{}

func (hole) Next(it *proxy.Item, _, _ time.Time) (time.Time, proxy.Verdict) {
	return it.Arrived, proxy.Lose
}
