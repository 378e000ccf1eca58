package proxy

import "time"

// Blackhole swallows what is sent, in either direction: the sender sees it taken,
// nobody gets it. Connections stay open, new ones are accepted. When it is removed
// a connection that lost something is reset, as its stream is broken; the others
// go on.
//
// A connection that began under it and that its client ends is dropped at once.
type Blackhole struct{}

func (Blackhole) check(bool) error { return nil }

func (Blackhole) begin() effect {
	return effect{admit: wait, forget: true, gate: func(spot) gate { return hole{} }}
}

// hole loses everything.
type hole struct{}

func (hole) next(it *item, _, _ time.Time) (time.Time, verdict) { return it.in, lose }
