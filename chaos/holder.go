package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
)

// opEndBrunt is the undo of what dies with brunt: it is done by ending it. Only a guard
// has anything to do there, whose brunt hangs: a dead one's is gone.
const opEndBrunt = "brunt.end"

// endBrunt takes back what the kernel takes back when brunt ends.
func endBrunt() Undo {
	id, err := identify(os.Getpid())
	if err != nil { // nobody can look at processes here, and so nobody can end one
		return Undo{Op: opEndBrunt, Identity: identity{}.raw()}
	}
	return Undo{Op: opEndBrunt, Identity: id.raw()}
}

// endBruntIn is endBrunt for what is in the network of a container, which it names for other runs.
func endBruntIn(id containerID) Undo {
	u := endBrunt()
	if id.ID != "" {
		u.Args = rawOf(networkOf{id.ID})
	}
	return u
}

// bruntOperations revert what dies with brunt and what brunt starts.
func bruntOperations() []Operation {
	return slices.Concat(processOperations(), sweepOperations(), []Operation{{Name: opEndBrunt, Do: endHolder, PerRun: true, Network: func(u Undo) string {
		var of networkOf
		_ = json.Unmarshal(u.Args, &of)
		return of.Container
	}}})
}

// networkOf says in which container's network something is.
type networkOf struct {
	Container string `json:"container,omitempty"`
}

// endHolder ends a brunt that hangs.
func endHolder(ctx context.Context, u Undo) (Outcome, error) {
	var id identity
	if err := json.Unmarshal(u.Identity, &id); err != nil {
		return Failed, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	switch {
	case !id.alive(), id.PID == os.Getpid(): // who takes back its own has let go of it
		return Gone, nil
	}
	if err := signal(id, "KILL"); err != nil && !errors.Is(err, errEnded) {
		return Failed, fmt.Errorf("ending brunt, which hangs: %w", err)
	}
	if err := await(ctx, endsWithin, func() bool { return !id.alive() }, "it does not end"); err != nil {
		return Failed, fmt.Errorf("ending brunt (pid %d), which hangs: %w", id.PID, err)
	}
	return Reverted, nil
}
