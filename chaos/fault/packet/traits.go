package packet

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/chaos/netns"
	"brunt/chaos/selector"
)

// Try finds a mechanism that works for an action. The error lists why each one failed and how to fix
// it.
func Try(do netns.Action, via string, capabilities func() []netns.Capability) error {
	var why []string
	for _, c := range capabilities() {
		switch {
		case c.Do != do || via != "" && c.Via != via:
		case c.Err == nil, errors.Is(c.Err, netns.ErrNoThrowaway):
			return nil
		default:
			text := fmt.Sprintf("%s: %v", c.Via, c.Err)
			if c.Fix != "" && !slices.ContainsFunc(why, func(s string) bool { return strings.HasPrefix(s, c.Via) }) {
				text += " (to mend it: " + c.Fix + ")"
			}
			why = append(why, text)
		}
	}
	if len(why) == 0 {
		return fmt.Errorf("%s can't be done on this system: packets of containers are Linux's alone", do.Fault())
	}
	return fmt.Errorf("%s can't be done on this machine: %s", do.Fault(), strings.Join(why, "; "))
}

// traits returns the traits of a fault on packets or links, which does an action to packets.
func traits(e *selector.Edge, do netns.Action, sc chaos.Scope) chaos.Traits {
	t := e.Traits(sc)
	t.Try = func(capabilities func() []netns.Capability) error {
		if !e.ByPackets(sc.Contained) {
			return nil
		}
		return Try(do, e.PacketVia(), capabilities)
	}
	return t
}

// packetTraits are the traits of a fault that only packets can have: it hits no link.
func packetTraits(e *selector.Edge, do netns.Action, sc chaos.Scope) chaos.Traits {
	t := traits(e, do, sc)
	t.Touches = func(string, string, chaos.Zones) (hit, http bool) { return false, false }
	return t
}

// Traits implements [chaos.Fault].
func (f *Latency) Traits(sc chaos.Scope) chaos.Traits { return traits(&f.Edge, netns.Latency, sc) }

// Traits implements [chaos.Fault].
func (f *Bandwidth) Traits(sc chaos.Scope) chaos.Traits { return traits(&f.Edge, netns.Bandwidth, sc) }

// Traits implements [chaos.Fault].
func (f *Stall) Traits(sc chaos.Scope) chaos.Traits { return traits(&f.Edge, netns.Stall, sc) }

// Traits implements [chaos.Fault].
func (f *Blackhole) Traits(sc chaos.Scope) chaos.Traits { return traits(&f.Edge, netns.Blackhole, sc) }

// Traits implements [chaos.Fault].
func (f *Loss) Traits(sc chaos.Scope) chaos.Traits { return packetTraits(&f.Edge, netns.Loss, sc) }

// Traits implements [chaos.Fault].
func (f *Duplicate) Traits(sc chaos.Scope) chaos.Traits {
	return packetTraits(&f.Edge, netns.Duplicate, sc)
}

// Traits implements [chaos.Fault].
func (f *Corrupt) Traits(sc chaos.Scope) chaos.Traits {
	return packetTraits(&f.Edge, netns.Corrupt, sc)
}

// Traits implements [chaos.Fault].
func (f *Reorder) Traits(sc chaos.Scope) chaos.Traits {
	return packetTraits(&f.Edge, netns.Reorder, sc)
}

// Traits implements [chaos.Fault].
func (f *HalfOpen) Traits(sc chaos.Scope) chaos.Traits {
	return packetTraits(&f.Edge, netns.HalfOpen, sc)
}

// Traits implements [chaos.Fault].
func (f *Reset) Traits(sc chaos.Scope) chaos.Traits {
	t := traits(&f.Edge, netns.Reset, sc)
	t.OneShot = true
	return t
}

// Traits implements [chaos.Fault].
func (f *Partition) Traits(sc chaos.Scope) chaos.Traits {
	t := traits(&f.Edge, netns.Partition, sc)
	t.Touches = func(from, to string, z chaos.Zones) (hit, http bool) {
		return f.On(from, to, z) || f.bothWays() && f.back().On(from, to, z), false
	}
	return t
}
