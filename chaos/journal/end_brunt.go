package journal

import (
	"bytes"
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

// opEndBrunt is the undo of faults that end with brunt: it kills brunt. It has an effect only if brunt hangs; after
// brunt's death nothing is left to revert.
const opEndBrunt = "brunt.end"

// EndBrunt returns the undo for a fault that the kernel reverts when brunt ends.
func EndBrunt() chaos.Undo {
	id, err := proc.Identify(os.Getpid())
	if err != nil { // processes cannot be inspected on this system, so none can be killed
		return chaos.Undo{Op: opEndBrunt, Identity: proc.Identity{}.Raw()}
	}
	return chaos.Undo{Op: opEndBrunt, Identity: id.Raw()}
}

// EndBruntIn is EndBrunt for a fault in the network of a container. The undo names the container for
// other runs.
func EndBruntIn(id chaos.ContainerID) chaos.Undo {
	u := EndBrunt()
	if id.ID != "" {
		u.Args = container.RawOf(NetworkOf{id.ID})
	}
	return u
}

// BruntOperations revert the faults that end with brunt, and end the processes that brunt starts.
func BruntOperations() []chaos.Operation {
	return slices.Concat(processOperations(), container.SweepOperations(),
		[]chaos.Operation{{
			Name: opEndBrunt, Do: endOwner, PerRun: true, HeldBy: HeldByProcess,
			Network: func(u chaos.Undo) string {
				return ContainerIn(u.Args)
			},
		}})
}

// HeldByProcess returns the process that an undo identifies, if it lives: the fault ends with it.
func HeldByProcess(u chaos.Undo) []int {
	var id proc.Identity
	if json.Unmarshal(u.Identity, &id) != nil || !id.Alive() {
		return nil
	}
	return []int{id.PID}
}

// NetworkOf names the container in whose network a fault is.
type NetworkOf struct {
	Container string `json:"container,omitempty"`
}

// ContainerIn returns the container that a [NetworkOf] in the arguments or the identity of an undo names, or "".
func ContainerIn(b json.RawMessage) string {
	var of NetworkOf
	_ = json.Unmarshal(b, &of)
	return of.Container
}

// HeirCommand is the command of brunt that replaces a crashed brunt in the same process. It holds no faults, and writes
// what is known of the run.
const HeirCommand = "crashed"

// isHeir reports whether a process is the heir of a crashed brunt.
func isHeir(pid int) bool {
	args, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return false
	}
	list := bytes.Split(args, []byte{0})
	return len(args) == 0 || len(list) > 1 && string(list[1]) == HeirCommand // it is empty while the process begins
}

// endOwner kills a brunt that hangs.
func endOwner(ctx context.Context, u chaos.Undo) (chaos.Outcome, error) {
	var id proc.Identity
	if err := json.Unmarshal(u.Identity, &id); err != nil {
		return chaos.Failed, fmt.Errorf("%w: %w", chaos.ErrDamaged, err)
	}
	switch {
	case !id.Alive(), id.PID == os.Getpid(), isHeir(id.PID): // a brunt that reverts its own entry has already released it
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
