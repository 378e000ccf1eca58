package toxics

import (
	"time"

	"brunt/chaos/proxy"
)

// Stall holds all bytes in both directions. Connections stay open, and new ones are accepted and wait.
// When the toxic is removed, everything continues in order and nothing is lost.
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
