package agent

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/journal"
	"brunt/chaos/proc"
	"brunt/chaos/proxy/child"
)

// opClear is the undo of what brunt's own process for links and networks does.
const opClear = "proxy.clear"

// leaseIdentity is a fault in that process.
type leaseIdentity struct {
	proc.Identity
	Key string `json:"key"` // of its lease
}

// clearArgs say how the process is reached, and in whose network the fault is; empty is that of no container.
type clearArgs struct {
	child.Control
	journal.NetworkOf
}

// UndoIn returns the undo of what is done under a key by brunt's own process for links and networks, in the network of
// a container or of none. A process that is brunt itself ends with it.
func UndoIn(p *child.Process, key string, of chaos.ContainerID) chaos.Undo {
	if p.Local() {
		return journal.EndBruntIn(of)
	}
	args := clearArgs{p.Control(), journal.NetworkOf{Container: of.ID}}
	return chaos.Undo{Op: opClear, Args: container.RawOf(args), Identity: container.RawOf(leaseIdentity{p.ID(), key})}
}

// clearOperation takes it off.
func clearOperation() chaos.Operation {
	return chaos.Operation{Name: opClear, Do: doClear, HeldBy: journal.HeldByProcess, Network: func(u chaos.Undo) string {
		return journal.ContainerIn(u.Args)
	}}
}

// doClear takes off what is in under a key. A process that does not do it is ended, and the links with it.
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

// Local returns what starts brunt's own process for links and networks; nil is none.
func Local(of chaos.Agents) *child.Shared {
	if p, ok := of.(*Pool); ok {
		return p.Local
	}
	return nil
}

// enterLocal lets the process enter a network that brunt can enter.
func (i *Pool) enterLocal(ctx context.Context, u chaos.Contained) (chaos.Network, error) {
	p, err := i.Local.Process(ctx)
	if err != nil {
		return nil, err
	}
	return p.Enter(ctx, fmt.Sprintf("/proc/%d/ns/net", u.PID()))
}

// UndoUnder implements [chaos.Handle].
func (n *handle) UndoUnder(key string) chaos.Undo {
	if s, ok := n.Network.(*child.Space); ok {
		return UndoIn(s.Process(), key, n.id)
	}
	return journal.EndBruntIn(n.id)
}
