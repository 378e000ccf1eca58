package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/proc"
)

// opEndBrunt is the undo of what dies with brunt: it is done by ending it. Only a guard
// has anything to do there, whose brunt hangs: a dead one's is gone.
const opEndBrunt = "brunt.end"

// EndBrunt takes back what the kernel takes back when brunt ends.
func EndBrunt() chaos.Undo {
	id, err := proc.Identify(os.Getpid())
	if err != nil { // nobody can look at processes here, and so nobody can end one
		return chaos.Undo{Op: opEndBrunt, Identity: proc.Identity{}.Raw()}
	}
	return chaos.Undo{Op: opEndBrunt, Identity: id.Raw()}
}

// EndBruntIn is EndBrunt for what is in the network of a container, which it names for other runs.
func EndBruntIn(id chaos.ContainerID) chaos.Undo {
	u := EndBrunt()
	if id.ID != "" {
		u.Args = container.RawOf(NetworkOf{id.ID})
	}
	return u
}

// BruntOperations revert what dies with brunt and what brunt starts.
func BruntOperations() []chaos.Operation {
	return slices.Concat(processOperations(), container.SweepOperations(), []chaos.Operation{{Name: opEndBrunt, Do: endOwner, PerRun: true, Network: func(u chaos.Undo) string {
		var of NetworkOf
		_ = json.Unmarshal(u.Args, &of)
		return of.Container
	}}})
}

// NetworkOf says in which container's network something is.
type NetworkOf struct {
	Container string `json:"container,omitempty"`
}

// endOwner ends a brunt that hangs.
func endOwner(ctx context.Context, u chaos.Undo) (chaos.Outcome, error) {
	var id proc.Identity
	if err := json.Unmarshal(u.Identity, &id); err != nil {
		return chaos.Failed, fmt.Errorf("%w: %w", chaos.ErrDamaged, err)
	}
	switch {
	case !id.Alive(), id.PID == os.Getpid(): // who takes back its own has let go of it
		return chaos.Gone, nil
	}
	if err := proc.Signal(id, "KILL"); err != nil && !errors.Is(err, proc.ErrEnded) {
		return chaos.Failed, fmt.Errorf("ending brunt, which hangs: %w", err)
	}
	if err := proc.Await(ctx, proc.EndsWithin, func() bool { return !id.Alive() }, "it does not end"); err != nil {
		return chaos.Failed, fmt.Errorf("ending brunt (pid %d), which hangs: %w", id.PID, err)
	}
	return chaos.Reverted, nil
}
