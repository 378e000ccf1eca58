package chaos

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"brunt/chaos/netns"
)

// Tried is a Fault that tells before a run whether this machine can do it at all, by what
// each mechanism came to when it was tried. Nobody knows where nothing could be tried: a
// helper may do it.
type Tried interface {
	Try(sc Scope, ways func() []netns.Way) error
}

// try finds a mechanism that works for an action.
func try(do netns.Action, via string, ways func() []netns.Way) error {
	var why []string
	for _, w := range ways() {
		switch {
		case w.Do != do || via != "" && w.Via != via:
		case w.Err == nil, errors.Is(w.Err, netns.ErrNoThrowaway):
			return nil
		default:
			text := fmt.Sprintf("%s: %v", w.Via, w.Err)
			if w.Fix != "" && !slices.ContainsFunc(why, func(s string) bool { return strings.HasPrefix(s, w.Via) }) {
				text += " (to mend it: " + w.Fix + ")"
			}
			why = append(why, text)
		}
	}
	if len(why) == 0 {
		return fmt.Errorf("%s can't be done on this system: packets of containers are Linux's alone", do.Fault())
	}
	return fmt.Errorf("%s can't be done on this machine: %s", do.Fault(), strings.Join(why, "; "))
}

// Inside is a Fault that may be done in the network of a container.
type Inside interface{ Inside(sc Scope) bool }

// Inside implements [Inside].
func (e *Edge) Inside(sc Scope) bool { return e.byPackets(sc.contained) }

// Inside implements [Inside].
func (f *DNS) Inside(Scope) bool { return true }

func (e *Edge) try(do netns.Action, sc Scope, ways func() []netns.Way) error {
	if !e.byPackets(sc.contained) {
		return nil
	}
	return try(do, e.packetVia(), ways)
}

func (f *DNS) try(do netns.Action, ways func() []netns.Way) error {
	if f.Via == "auto" {
		return try(do, "", ways)
	}
	return try(do, f.Via, ways)
}

// Try implements [Tried].
func (f *Latency) Try(sc Scope, ways func() []netns.Way) error {
	return f.try(netns.Latency, sc, ways)
}

// Try implements [Tried].
func (f *Bandwidth) Try(sc Scope, ways func() []netns.Way) error {
	return f.try(netns.Bandwidth, sc, ways)
}

// Try implements [Tried].
func (f *Stall) Try(sc Scope, ways func() []netns.Way) error { return f.try(netns.Stall, sc, ways) }

// Try implements [Tried].
func (f *Blackhole) Try(sc Scope, ways func() []netns.Way) error {
	return f.try(netns.Blackhole, sc, ways)
}

// Try implements [Tried].
func (f *Reset) Try(sc Scope, ways func() []netns.Way) error { return f.try(netns.Reset, sc, ways) }

// Try implements [Tried].
func (f *Partition) Try(sc Scope, ways func() []netns.Way) error {
	return f.try(netns.Partition, sc, ways)
}

// Try implements [Tried].
func (f *Loss) Try(sc Scope, ways func() []netns.Way) error { return f.try(netns.Loss, sc, ways) }

// Try implements [Tried].
func (f *Duplicate) Try(sc Scope, ways func() []netns.Way) error {
	return f.try(netns.Duplicate, sc, ways)
}

// Try implements [Tried].
func (f *Corrupt) Try(sc Scope, ways func() []netns.Way) error {
	return f.try(netns.Corrupt, sc, ways)
}

// Try implements [Tried].
func (f *Reorder) Try(sc Scope, ways func() []netns.Way) error {
	return f.try(netns.Reorder, sc, ways)
}

// Try implements [Tried].
func (f *HalfOpen) Try(sc Scope, ways func() []netns.Way) error {
	return f.try(netns.HalfOpen, sc, ways)
}

// Try implements [Tried].
func (f *DNSFail) Try(_ Scope, ways func() []netns.Way) error { return f.try(netns.DNSFail, ways) }

// Try implements [Tried].
func (f *DNSTimeout) Try(_ Scope, ways func() []netns.Way) error { return f.try(netns.DNSMute, ways) }

// Try implements [Tried].
func (f *DNSSpoof) Try(_ Scope, ways func() []netns.Way) error { return f.try(netns.DNSSpoof, ways) }
