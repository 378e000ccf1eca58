package agent

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/journal"
	"brunt/chaos/proc"
	"brunt/chaos/proxy/child"
)

// opClear is the undo of a fault in brunt's own process for links and networks.
const opClear = "proxy.clear"

// leaseIdentity identifies a fault in that process.
type leaseIdentity struct {
	proc.Identity
	Key string `json:"key"` // key of its lease
}

// clearArgs say how to reach the process, and in which container's network the fault is; empty: in none.
type clearArgs struct {
	child.Control
	journal.NetworkOf
}

// UndoIn returns the undo of a fault under a key in brunt's own process for links and networks, in the network of a
// container or of none. If that process is brunt itself, the undo kills a brunt that hangs.
func UndoIn(p *child.Process, key string, of chaos.ContainerID) chaos.Undo {
	if p.Local() {
		return journal.EndBruntIn(of)
	}
	args := clearArgs{p.Control(), journal.NetworkOf{Container: of.ID}}
	return chaos.Undo{Op: opClear, Args: container.RawOf(args), Identity: container.RawOf(leaseIdentity{p.ID(), key})}
}

// clearOperation returns the operation that removes such a fault.
func clearOperation() chaos.Operation {
	return chaos.Operation{Name: opClear, Do: doClear, HeldBy: journal.HeldByProcess, Network: func(u chaos.Undo) string {
		return journal.ContainerIn(u.Args)
	}}
}

// doClear removes the faults under a key. If the process does not do that, it is killed, and the links end with it.
func doClear(ctx context.Context, u chaos.Undo) (chaos.Outcome, error) {
	var of leaseIdentity
	var at clearArgs
	if json.Unmarshal(u.Identity, &of) != nil || json.Unmarshal(u.Args, &at) != nil || of.Key == "" {
		return chaos.Failed, fmt.Errorf("%w: no process of proxies in %q", chaos.ErrDamaged, u.Identity)
	}
	if !of.Alive() || of.PID == os.Getpid() {
		return chaos.Gone, nil
	}
	switch n, err := at.Clear(ctx, of.Key); {
	case err != nil:
		return journal.EndGroup(ctx, of.Identity)
	case n == 0:
		return chaos.Gone, nil
	}
	return chaos.Reverted, nil
}

// Local returns the starter of brunt's own process for links and networks; nil if the agents have no such process.
func Local(of chaos.Agents) *child.Shared {
	if p, ok := of.(*Pool); ok {
		return p.Local
	}
	return nil
}

// EnterBy makes brunt's own process enter the network of a unit, which must still be in the container id.
func EnterBy(ctx context.Context, p *child.Process, u chaos.Contained, id chaos.ContainerID) (*child.Space, error) {
	n, err := EnterNamespace(u.PID()) // it checks whose network it is
	if err != nil {
		return nil, err
	}
	if err := n.Close(); err != nil {
		return nil, err
	}
	s, err := p.Enter(ctx, fmt.Sprintf("/proc/%d/ns/net", u.PID()))
	if err != nil {
		return nil, err
	}
	return sameContainer(s, u, id)
}

// sameContainer returns the network that was entered at a unit, or closes it if the unit is another container by now.
func sameContainer[T io.Closer](n T, u chaos.Contained, id chaos.ContainerID) (none T, err error) {
	if u.ContainerID() != id {
		return none, errors.Join(fmt.Errorf("%w: %s has just been started again", chaos.ErrNoUnit, u.Name()), n.Close())
	}
	return n, nil
}

func (n *handle) UndoUnder(key string) chaos.Undo {
	if s, ok := n.Network.(*child.Space); ok {
		return UndoIn(s.Process(), key, n.id)
	}
	if n.end.Op != "" {
		return n.end
	}
	return journal.EndBruntIn(n.id)
}
