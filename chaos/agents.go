package chaos

import (
	"context"
	"net/netip"

	"brunt/chaos/netns"
)

// Agents reach what brunt may not touch itself: processes of other users, and networks of
// containers. Package agent implements it.
type Agents interface {
	// Plan has an agent plan the fault of env for a unit in a container. It is false where brunt does
	// the fault itself.
	Plan(ctx context.Context, env Env, u Unit) (s Step, ok bool, err error)
	// Enter opens the network of a unit, or finds it open.
	Enter(ctx context.Context, u Contained, run string) (Handle, error)
	// OtherRun gives another live run that has a fault in the network of a container; empty is none.
	OtherRun(container string) (run string)
}

// A Network is a network namespace that faults are done in.
type Network interface {
	Prepare(netns.Spec) (netns.Spec, *netns.Undo, error)
	Undo(netns.Undo) error
	Set(netns.Spec) (netns.Held, error)
	Look(context.Context, netns.Look) (netns.Seen, error)
	Line(context.Context, netip.AddrPort) (netns.Line, error)
	Gateway() (netip.Addr, error)
	Close() error
}

// A Handle is the network of a unit, open for as long as a fault needs it.
type Handle interface {
	Network
	// Whose says whose network it is.
	Whose() ContainerID
	// Count adds to the number of faults that are in, and gives the sum.
	Count(by int) int
	// Leave lets go of the network. The last handle closes it.
	Leave() error
}
