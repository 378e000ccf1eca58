package proxy

import "time"

// Stall lets nothing pass, in either direction. Connections stay, new ones are
// accepted and wait. When it is removed everything goes on in order, nothing lost.
type Stall struct{}

func (Stall) check(bool) error { return nil }

func (Stall) begin() effect {
	return effect{admit: wait, gate: func(spot) gate { return wall{} }}
}

// wall holds everything.
type wall struct{}

func (wall) next(it *item, _, _ time.Time) (time.Time, verdict) { return it.in, hold }
