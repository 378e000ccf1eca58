package packets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"brunt/chaos"
	"brunt/chaos/agent"
	"brunt/chaos/container"
	"brunt/chaos/journal"
	"brunt/chaos/netns"
	"brunt/chaos/proc"
	"brunt/targets/platform/containers"
)

// opUnqueue is the undo of a queueing discipline, which outlives brunt.
const opUnqueue = "network.unqueue"

// unqueueArgs say what to revert, and by which engine an agent can enter the network.
type unqueueArgs struct {
	Undo   netns.Undo          `json:"undo"`
	Engine *containers.Address `json:"engine,omitempty"`
	Run    string              `json:"run,omitempty"`
	// the UID of the pod of this node whose network it is; empty: it is no pod's
	Pod string `json:"pod,omitempty"`
}

// networkIdentity identifies a network: that of a process, or of a container between two starts.
type networkIdentity struct {
	proc.Identity
	chaos.ContainerID
}

// identity returns the identity of the network n.
func (p *Step) identity(n chaos.Handle) networkIdentity {
	whose := networkIdentity{ContainerID: n.ContainerID()}
	id, err := proc.Identify(p.Target.PID())
	if err == nil && p.Target.Contained.ContainerID() == n.ContainerID() {
		whose.Identity = id
	}
	return whose
}

func (p *Step) unqueue(u netns.Undo, whose networkIdentity) chaos.Undo {
	args := unqueueArgs{Undo: u, Run: p.run}
	if node := p.Target.Traits().Node; node != nil {
		args.Pod, _, _ = strings.Cut(whose.ID, "/")
		return node.ByAgent([]chaos.Undo{{Op: opUnqueue, Args: container.RawOf(args), Identity: container.RawOf(whose)}})
	}
	if p.Target.Container != nil {
		at := p.Target.Container.Engine.Address()
		args.Engine = &at
	}
	return chaos.Undo{Op: opUnqueue, Args: container.RawOf(args), Identity: container.RawOf(whose)}
}

// Operations revert the faults on packets.
func Operations() []chaos.Operation {
	return []chaos.Operation{{
		Name: opUnqueue, Do: doUnqueue, ByEngine: true, Find: find, Key: disciplineOf,
		Network: func(u chaos.Undo) string {
			return journal.ContainerIn(u.Identity)
		},
	}}
}

// doUnqueue removes a queueing discipline: inside the network of its process, or by an agent in the
// network of its container.
func doUnqueue(ctx context.Context, u chaos.Undo) (chaos.Outcome, error) {
	var args unqueueArgs
	var whose networkIdentity
	if err := chaos.JoinErrors(json.Unmarshal(u.Args, &args), json.Unmarshal(u.Identity, &whose)); err != nil {
		return chaos.Failed, fmt.Errorf("%w: %w", chaos.ErrDamaged, err)
	}
	var n chaos.Network
	err := error(fs.ErrPermission)
	switch {
	case args.Pod != "":
		if whose.PID = container.FirstOfPod(args.Pod); whose.PID == 0 {
			return chaos.Gone, nil
		}
		n, err = agent.EnterNamespace(whose.PID)
	case whose.PID != 0:
		if !whose.Alive() {
			return chaos.Gone, nil
		}
		n, err = agent.EnterNamespace(whose.PID)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return chaos.Gone, nil
	case errors.Is(err, fs.ErrPermission) && args.Engine != nil:
		var gone bool
		if n, gone, err = agent.EnterByAgent(ctx, *args.Engine, whose.ContainerID, args.Run); gone {
			return chaos.Gone, nil
		}
	}
	if err != nil {
		return chaos.Failed, err
	}
	err = n.Undo(args.Undo)
	if errors.Is(err, netns.ErrOther) {
		return chaos.Gone, n.Close()
	}
	if err = chaos.JoinErrors(err, n.Close()); err != nil {
		return chaos.Failed, err
	}
	return chaos.Reverted, nil
}
