package toxics

import (
	"errors"

	"brunt/chaos/proxy"
)

// Partition cuts the link.
type Partition struct {
	Mode     Mode     // zero is Drop
	Existing Existing // zero is Cut
}

// A Mode says how a partition treats packets.
type Mode uint8

const (
	// Drop acts like packet loss: nothing passes, and held data continues when the partition is
	// removed, as with TCP retransmission. New connections are accepted and held. A connection that
	// its client ends meanwhile is dropped, because its first packet would have been lost.
	Drop Mode = iota
	// Reject closes the listener, so that new connections are refused; existing ones are reset. The
	// proxy keeps the port.
	Reject
	// ResetNew accepts new connections and resets them at once; existing ones are reset.
	ResetNew
)

// Existing says how a partition treats established connections.
type Existing uint8

const (
	Cut  Existing = iota // the mode applies to them too
	Keep                 // they are not affected
)

func (t Partition) Check(bool) error {
	var errs []error
	if t.Mode > ResetNew {
		errs = append(errs, errors.New("the mode must be Drop, Reject or ResetNew"))
	}
	if t.Existing > Keep {
		errs = append(errs, errors.New("existing connections are either Cut or Keep"))
	}
	return errors.Join(errs...)
}

func (t Partition) Begin() proxy.Effect {
	keep := t.Existing == Keep
	switch t.Mode {
	case Reject:
		return proxy.Effect{CloseListener: true, Admit: proxy.Deny, SpareEstablished: keep, ResetEstablished: !keep}
	case ResetNew:
		return proxy.Effect{Admit: proxy.Deny, SpareEstablished: keep, ResetEstablished: !keep}
	}
	return proxy.Effect{
		Admit: proxy.Wait, DropOnClose: true, SpareEstablished: keep, Gate: func(proxy.Point) proxy.Gate { return wall{} },
		Datagrams: lost,
	}
}
