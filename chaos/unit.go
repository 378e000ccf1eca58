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
	// Ready runs the unit's readiness check once.
	Ready(ctx context.Context) error
	// Supervised reports whether a supervisor restarts the unit after a crash.
	Supervised() bool
	Stop(ctx context.Context, grace time.Duration) error
	Start(ctx context.Context) error
}

// Crasher is a Unit whose supervisor is told of a crash: the supervisor then acts as after a failure,
// whatever the exit code of the process.
type Crasher interface {
	// Crash calls send, which must end the process pid.
	Crash(pid int, send func() error) error
}

// Asker is a Unit that can be asked for an answer of its own. A readiness check may be a mere
// connection, and the kernel accepts connections for a stopped process too.
type Asker interface {
	// Ask asks once; nil means that an answer arrived, whatever its content.
	Ask(ctx context.Context) error
}

// Contained is a Unit in a container of an engine. Its PID is that of the container's first process,
// as the host counts.
type Contained interface {
	Unit
	// Container returns the engine's id of the unit's present container, and its last start. The id
	// survives a restart; the namespaces do not.
	Container() (id string, started time.Time)
	// Addresses returns the unit's addresses in its networks.
	Addresses() []netip.Addr
}

// ErrNoUnit says that a selector matched nothing.
var ErrNoUnit = errors.New("no unit matches")
