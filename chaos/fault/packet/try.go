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
func Try(do netns.Action, via string, ways func() []netns.Way) error {
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

func tryEdge(e *selector.Edge, do netns.Action, sc chaos.Scope, ways func() []netns.Way) error {
	if !e.ByPackets(sc.Contained) {
		return nil
	}
	return Try(do, e.PacketVia(), ways)
}

// Try implements [chaos.Tried].
func (f *Latency) Try(sc chaos.Scope, ways func() []netns.Way) error {
	return tryEdge(&f.Edge, netns.Latency, sc, ways)
}

// Try implements [chaos.Tried].
func (f *Bandwidth) Try(sc chaos.Scope, ways func() []netns.Way) error {
	return tryEdge(&f.Edge, netns.Bandwidth, sc, ways)
}

// Try implements [chaos.Tried].
func (f *Stall) Try(sc chaos.Scope, ways func() []netns.Way) error {
	return tryEdge(&f.Edge, netns.Stall, sc, ways)
}

// Try implements [chaos.Tried].
func (f *Blackhole) Try(sc chaos.Scope, ways func() []netns.Way) error {
	return tryEdge(&f.Edge, netns.Blackhole, sc, ways)
}

// Try implements [chaos.Tried].
func (f *Reset) Try(sc chaos.Scope, ways func() []netns.Way) error {
	return tryEdge(&f.Edge, netns.Reset, sc, ways)
}

// Try implements [chaos.Tried].
func (f *Partition) Try(sc chaos.Scope, ways func() []netns.Way) error {
	return tryEdge(&f.Edge, netns.Partition, sc, ways)
}

// Try implements [chaos.Tried].
func (f *Loss) Try(sc chaos.Scope, ways func() []netns.Way) error {
	return tryEdge(&f.Edge, netns.Loss, sc, ways)
}

// Try implements [chaos.Tried].
func (f *Duplicate) Try(sc chaos.Scope, ways func() []netns.Way) error {
	return tryEdge(&f.Edge, netns.Duplicate, sc, ways)
}

// Try implements [chaos.Tried].
func (f *Corrupt) Try(sc chaos.Scope, ways func() []netns.Way) error {
	return tryEdge(&f.Edge, netns.Corrupt, sc, ways)
}

// Try implements [chaos.Tried].
func (f *Reorder) Try(sc chaos.Scope, ways func() []netns.Way) error {
	return tryEdge(&f.Edge, netns.Reorder, sc, ways)
}

// Try implements [chaos.Tried].
func (f *HalfOpen) Try(sc chaos.Scope, ways func() []netns.Way) error {
	return tryEdge(&f.Edge, netns.HalfOpen, sc, ways)
}
