package chaos

import (
	"context"
	"net/netip"

	"brunt/chaos/netns"
)

// Agents do what brunt may not do itself: they signal processes of other users and enter the networks of containers.
// Package agent implements the interface.
type Agents interface {
	// Plan makes an agent plan the fault of env for a unit in a container. ok is false if brunt injects the fault
	// itself.
	Plan(ctx context.Context, env Env, u Unit) (s Step, ok bool, err error)
	// Enter opens the network of a unit, or reuses the open handle of the run.
	Enter(ctx context.Context, u Contained, run string) (Handle, error)
	// OtherRun returns another live run that has a fault in the network of a container, or "".
	OtherRun(container string) (run string)
}

// A Network is a network namespace in which faults are injected.
type Network interface {
	Prepare(netns.Spec) (netns.Spec, *netns.Undo, error)
	Undo(netns.Undo) error
	// Set activates a Spec. A Held beside an error says that the Spec may be active, or become so, unless it is closed.
	Set(netns.Spec) (netns.Held, error)
	Probe(context.Context, netns.Probe) (netns.ProbeResult, error)
	Line(context.Context, netip.AddrPort) (netns.Line, error)
	Gateway() (netip.Addr, error)
	Close() error
}

// A Handle is the network of a unit, open for as long as a fault needs it.
type Handle interface {
	Network
	// ContainerID returns the container that the network belongs to.
	ContainerID() ContainerID
	// Count adds to the number of injected faults and returns the sum.
	Count(by int) int
	// UndoUnder returns the undo of everything that was set under the lease with a key. It is used where the kernel
	// ends those settings when the process that made them ends: brunt, or its separate process for links and networks.
	UndoUnder(key string) Undo
	// Leave releases the handle. The last one closes the network.
	Leave() error
}
