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

// A Mode says how a partition answers.
type Mode uint8

const (
	// Drop is as if packets were lost: nothing passes, and what was held goes on
	// when the partition is removed, as by TCP's retransmission. New connections
	// are accepted and held; one that its client ends meanwhile never comes to be,
	// as its first packet would have been among the lost.
	Drop Mode = iota
	// Reject closes the listener, so that new connections are refused; existing
	// ones are reset. The port stays the proxy's.
	Reject
	// ResetNew accepts new connections and resets them at once; existing ones are
	// reset.
	ResetNew
)

// Existing says what becomes of established connections.
type Existing uint8

const (
	Cut  Existing = iota // the mode holds for them too
	Keep                 // they are left alone
)

func (t Partition) Check(bool) error {
	var errs []error
	if t.Mode > ResetNew {
		errs = append(errs, errors.New("the mode is none of Drop, Reject, ResetNew"))
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
	return proxy.Effect{Admit: proxy.Wait, DropOnClose: true, SpareEstablished: keep, Gate: func(proxy.Point) proxy.Gate { return wall{} }}
}
