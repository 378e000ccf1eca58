package toxics

import (
	"time"

	"brunt/chaos/proxy"
)

// Blackhole discards all bytes in both directions: the sender sees them accepted and the receiver
// gets nothing. Connections stay open and new ones are accepted. When the toxic is removed, the
// proxy resets each connection that lost bytes, since its stream is damaged. The others continue.
//
// A connection that began while the toxic was active is dropped when its client ends it.
type Blackhole struct{}

func (Blackhole) Check(bool) error { return nil }

func (Blackhole) Begin() proxy.Effect {
	return proxy.Effect{
		Admit: proxy.Wait, DropOnClose: true, Gate: func(proxy.Point) proxy.Gate { return hole{} }, Datagrams: lost,
	}
}

// lost loses every datagram.
func lost(proxy.Point) proxy.DatagramEffect {
	return func([]byte, time.Time, func([]byte, time.Time)) bool { return true }
}

// hole loses everything.
type hole struct{}

func (hole) Next(it *proxy.Item, _, _ time.Time) (time.Time, proxy.Verdict) {
	return it.Arrived, proxy.Lose
}
