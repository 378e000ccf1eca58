package toxics

import (
	"time"

	"brunt/chaos/proxy"
)

// Stall lets nothing pass, in either direction. Connections stay, new ones are
// accepted and wait. When it is removed everything goes on in order, nothing lost.
type Stall struct{}

func (Stall) Check(bool) error { return nil }

func (Stall) Begin() proxy.Effect {
	return proxy.Effect{Admit: proxy.Wait, Gate: func(proxy.Point) proxy.Gate { return wall{} }}
}

// wall holds everything.
type wall struct{}

func (wall) Next(it *proxy.Item, _, _ time.Time) (time.Time, proxy.Verdict) {
	return it.Arrived, proxy.Hold
}
