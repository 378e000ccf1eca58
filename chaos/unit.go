package chaos

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"time"
)

// A Unit is a replica that a fault can hit.
type Unit interface {
	Name() string // service[i]
	Service() string
	PID() int // of its process; 0: there is none
	// Ready runs the unit's readiness check once.
	Ready(ctx context.Context) error
	// Supervised reports whether a supervisor restarts the unit after a crash.
	Supervised() bool
	Stop(ctx context.Context, grace time.Duration) error
	Start(ctx context.Context) error
	// Traits returns the optional properties of the unit.
	Traits() UnitTraits
}

// UnitTraits are properties that only some units have. The zero value is a unit that is not in a container, has no
// address, and cannot be asked. A nil function means that the unit lacks that capability.
type UnitTraits struct {
	// Contained is the unit itself if it is in a container, else nil.
	Contained Contained
	// Addr returns the host:port at which the unit is reached, or "" while there is none.
	Addr func() string
	// Ask asks the unit once for an answer of its own. Nil means that an answer arrived, whatever its content. A
	// readiness check cannot replace it: that may be a mere connection, and the kernel accepts connections for a
	// stopped process too.
	Ask func(ctx context.Context) error
	// Crash tells the unit's supervisor of a crash and calls send, which must end the process pid. The
	// supervisor then acts as after a failure, whatever the exit code of the process, and ends the other processes of
	// the unit unless the process ends alone.
	Crash func(pid int, alone bool, send func() error) error
	// StartAgent starts an agent in the unit's network for a run, and returns the agent's input and
	// output. When they are closed, the agent reverts what it did and ends.
	StartAgent func(ctx context.Context, run string) (io.ReadWriteCloser, error)
	// RemoveAgents returns the undo that removes the agents of a run and everything that was made for them. It is set
	// if StartAgent is.
	RemoveAgents func(run string) Undo
	// EndAgent returns the undo of everything that agents of a run set in the unit's network: it ends these agents. Nil
	// means that they end only with brunt.
	EndAgent func(run string) Undo
	// Node is the machine that the unit is on, where only agents see its processes and its network. Nil means that the
	// unit is on this machine, or in a container of an engine.
	Node Node
}

// A Node is another machine, with a unit on it.
type Node interface {
	// Separate returns an error that says why the unit has no network of its own, or why its network can't be entered.
	// Nil means that it has one that can.
	Separate(ctx context.Context) error
	// Life describes the container that the unit's processes are in now.
	Life(ctx context.Context) (Life, error)
	// Agent names the agents that see the unit's processes: units with the same name share them.
	Agent(ctx context.Context) (string, error)
	// LendAgent returns the input and output of an agent that sees the unit's processes. When they are closed, it reverts
	// what it did.
	LendAgent(ctx context.Context) (io.ReadWriteCloser, error)
	// LendProxies returns the input and output of proxies that an agent runs in the unit's network. When they are
	// closed, the proxies end and leave nothing.
	LendProxies(ctx context.Context) (io.ReadWriteCloser, error)
	// ByAgent returns the undo that makes another agent on the unit's machine execute some undos.
	ByAgent(undo []Undo) Undo
	// Revert executes undos that ByAgent returned.
	Revert(ctx context.Context, undo []Undo) (Outcome, error)
	// Near returns the addresses from which the unit's machine connects to the unit, such as for probes of its health.
	Near(ctx context.Context) ([]netip.Addr, error)
	// Fronts returns the virtual addresses that lead to some of the units and to no others, with a port that leads
	// there. An error says that a virtual address also leads to others.
	Fronts(ctx context.Context, units []Unit) ([]netip.AddrPort, error)
	// Reached returns the addresses at which the units are reached by TCP: virtual addresses under the name of the
	// service, and the units' own under their names. An error says that a virtual address also leads to others.
	Reached(ctx context.Context, units []Unit) ([]Reach, error)
}

// A Reach lists the addresses of a unit, or of a service.
type Reach struct {
	Name string
	At   []netip.AddrPort
}

// A Life identifies a container between two of its starts.
type Life struct {
	ID    string
	Began time.Time
}

// Contained is a Unit in a container of an engine. Its PID is the host's number of the container's first process.
type Contained interface {
	Unit
	// ContainerID identifies the unit's present container since its last start.
	ContainerID() ContainerID
	// Addresses returns the unit's addresses in its networks.
	Addresses() []netip.Addr
	// Listens returns the TCP ports on which the unit is known to listen.
	Listens() []uint16
}

// A ContainerID identifies a container between two starts. The engine's id alone survives a restart, and each start
// creates new namespaces.
type ContainerID struct {
	ID      string `json:"container"`
	Started int64  `json:"started"` // Unix nanoseconds
}

// ContainerAt returns the identity of a container with an id that was started at a time.
func ContainerAt(id string, started time.Time) ContainerID {
	return ContainerID{id, started.UnixNano()}
}

// ErrNoUnit says that a selector matched nothing.
var ErrNoUnit = errors.New("no unit matches")
