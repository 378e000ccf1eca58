package victim

import (
	"context"
	"encoding/json"
	"fmt"

	"brunt/chaos"
	"brunt/chaos/proc"
)

// InFamily makes the Do of an operation from a function that reverts one process. It reverts the process and all its
// descendants.
func InFamily(
	revert func(u chaos.Undo, pid int) (done bool, err error),
) func(context.Context, chaos.Undo) (chaos.Outcome, error) {
	return func(_ context.Context, u chaos.Undo) (chaos.Outcome, error) {
		var id proc.Identity
		if err := json.Unmarshal(u.Identity, &id); err != nil {
			return chaos.Failed, fmt.Errorf("%w: %w", chaos.ErrDamaged, err)
		}
		return EachOf(id, func(pid int) (bool, error) { return revert(u, pid) })
	}
}

// generations bounds how often EachOf looks for processes that were started meanwhile.
const generations = 10

// EachOf reverts a change of a process and of all its descendants, which inherit it. undone means that the process does
// not have the change, or no longer. EachOf looks again for descendants that were started before the change of their
// parent was reverted.
func EachOf(id proc.Identity, undo func(pid int) (undone bool, err error)) (chaos.Outcome, error) {
	if !id.Alive() {
		return chaos.Gone, nil
	}
	out, errs, seen := chaos.None, []error{}, []int{}
	for range generations {
		now := proc.Without(proc.Family(id.PID), seen)
		if len(now) == 0 {
			break
		}
		seen = append(seen, now...)
		for _, pid := range now {
			if proc.IsZombie(pid) {
				continue
			}
			undone, err := undo(pid)
			switch {
			case err != nil && Alive(pid): // otherwise it has ended meanwhile
				errs = append(errs, fmt.Errorf("pid %d: %w", pid, err))
			case undone:
				out = chaos.Reverted
			}
		}
	}
	if err := chaos.JoinErrors(errs...); err != nil {
		return chaos.Failed, err
	}
	return out, nil
}

// Alive reports whether a process with the PID exists and is not a zombie.
func Alive(pid int) bool {
	_, err := proc.StartOf(pid)
	return err == nil && !proc.IsZombie(pid)
}
