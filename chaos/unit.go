package chaos

import (
	"context"
	"errors"
	"net/netip"
	"time"
)

// A Unit is a replica that a fault can hit.
type Unit interface {
	Name() string // service[i]
	Service() string
	PID() int // of its process; 0 is none
	// Ready makes the unit's readiness check once.
	Ready(ctx context.Context) error
	// Supervised tells that somebody starts it again when it crashes.
	Supervised() bool
	Stop(ctx context.Context, grace time.Duration) error
	Start(ctx context.Context) error
}

// Crasher is a Unit whose supervisor is told of a crash: what it would do after a
// failure, it does then however well the process ends.
type Crasher interface {
	// Crash calls send, which is to end the process pid.
	Crash(pid int, send func() error) error
}

// Asker is a Unit that can be asked for an answer of its own. Its readiness check may be
// no more than a connection, and the kernel makes those for a stopped process too.
type Asker interface {
	// Ask asks once; nil means that something came back, whatever it was.
	Ask(ctx context.Context) error
}

// Contained is a Unit in a container of an engine. Its PID is that of the container's
// first process, as the host counts.
type Contained interface {
	Unit
	// Container is the engine's id of the container that the unit is now, and when it
	// was started last: an id stays over a restart, its namespaces don't.
	Container() (id string, started time.Time)
	// Addresses are those that the unit has in its networks.
	Addresses() []netip.Addr
}

// ErrNoUnit tells that a selector matched nothing.
var ErrNoUnit = errors.New("no unit matches")
