package packets

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/chaos/netns"
	"brunt/chaos/selector"
)

// Try finds a mechanism that works for the action of a fault of a kind. The error lists why each one
// failed and how to fix it.
func Try(kind string, do netns.Action, via string, capabilities func() []netns.Capability) error {
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
		return fmt.Errorf("%s can't be done on this system: packets of containers are Linux's alone", kind)
	}
	return fmt.Errorf("%s can't be done on this machine: %s", kind, strings.Join(why, "; "))
}

// Traits returns the traits of a fault on packets or links, which does an action to packets.
func Traits(f chaos.Described, e *selector.Edge, do netns.Action, sc chaos.Scope) chaos.Traits {
	t := e.Traits(sc)
	t.Try = func(capabilities func() []netns.Capability) error {
		if !e.ByPackets(sc.Contained) || e.OnPods(sc) {
			return nil
		}
		return Try(f.Describe().Kind, do, e.PacketVia(), capabilities)
	}
	return t
}

// OnlyPackets returns the traits of a fault that only packets can have: it hits no link.
func OnlyPackets(f chaos.Described, e *selector.Edge, do netns.Action, sc chaos.Scope) chaos.Traits {
	t := Traits(f, e, do, sc)
	t.Touches = func(string, string, chaos.Zones) (hit, http bool) { return false, false }
	return t
}
