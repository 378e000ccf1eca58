package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"brunt/chaos/netns"
	"brunt/targets/platform/docker"
)

// opUnqueue is the undo of a queueing discipline, which outlives brunt.
const opUnqueue = "network.unqueue"

// unqueueArgs say what to take back, and how to get there for who may not enter.
type unqueueArgs struct {
	Undo   netns.Undo      `json:"undo"`
	Engine *docker.Address `json:"engine,omitempty"`
	Run    string          `json:"run,omitempty"`
}

// inhabited says which network is meant: that of a process, or of a container between two
// starts.
type inhabited struct {
	identity
	containerID
}

// inhabitant is whose network n is.
func (p *packets) inhabitant(n *inside) inhabited {
	whose := inhabited{containerID: n.id}
	id, err := identify(p.unit.PID())
	if err == nil && containerOf(p.unit) == n.id {
		whose.identity = id
	}
	return whose
}

func (p *packets) unqueue(u netns.Undo, whose inhabited) Undo {
	args := unqueueArgs{Undo: u, Run: p.run}
	if c, ok := ContainerOf(p.unit); ok {
		at := c.Engine.Address()
		args.Engine = &at
	}
	return Undo{Op: opUnqueue, Args: rawOf(args), Identity: rawOf(whose)}
}

// packetOperations revert the faults on packets.
func packetOperations() []Operation {
	return []Operation{{Name: opUnqueue, Do: doUnqueue, ByEngine: true, Network: func(u Undo) string {
		var of networkOf
		_ = json.Unmarshal(u.Identity, &of)
		return of.Container
	}}}
}

// doUnqueue takes a queueing discipline back: from inside the network of the process that
// had it, or by a helper in that of its container.
func doUnqueue(ctx context.Context, u Undo) (Outcome, error) {
	var args unqueueArgs
	var whose inhabited
	if err := also(json.Unmarshal(u.Args, &args), json.Unmarshal(u.Identity, &whose)); err != nil {
		return Failed, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	var n network
	err := error(fs.ErrPermission)
	if whose.PID != 0 {
		if !whose.alive() {
			return Gone, nil
		}
		n, err = enterNamespace(whose.PID)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Gone, nil
	case errors.Is(err, fs.ErrPermission) && args.Engine != nil:
		var gone bool
		if n, gone, err = helperIn(ctx, *args.Engine, whose.containerID, args.Run); gone {
			return Gone, nil
		}
	}
	if err != nil {
		return Failed, err
	}
	err = n.Undo(args.Undo)
	if errors.Is(err, netns.ErrOther) {
		return Gone, n.Close()
	}
	if err = also(err, n.Close()); err != nil {
		return Failed, err
	}
	return Reverted, nil
}
