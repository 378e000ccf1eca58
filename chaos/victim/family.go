package victim

import (
	"context"
	"encoding/json"
	"fmt"

	"brunt/chaos"
	"brunt/chaos/proc"
)

// InFamily makes an operation of a function that reverts one process. The operation reverts the process and all
// its descendants.
func InFamily(revert func(u chaos.Undo, pid int) (done bool, err error)) func(context.Context, chaos.Undo) (chaos.Outcome, error) {
	return func(_ context.Context, u chaos.Undo) (chaos.Outcome, error) {
		var id proc.Identity
		if err := json.Unmarshal(u.Identity, &id); err != nil {
			return chaos.Failed, fmt.Errorf("%w: %w", chaos.ErrDamaged, err)
		}
		return EachOf(id, func(pid int) (bool, error) { return revert(u, pid) })
	}
}

// EachOf reverts a change of a process and of all its descendants, which inherit it. Undone means that the change
// is not there, or not there any more.
func EachOf(id proc.Identity, undo func(pid int) (undone bool, err error)) (chaos.Outcome, error) {
	if !id.Alive() {
		return chaos.Gone, nil
	}
	out, errs := chaos.None, []error{}
	for _, pid := range proc.Family(id.PID) {
		if proc.IsZombie(pid) {
			continue
		}
		undone, err := undo(pid)
		switch {
		case err != nil && Alive(pid): // else it has ended meanwhile
			errs = append(errs, fmt.Errorf("pid %d: %w", pid, err))
		case undone:
			out = chaos.Reverted
		}
	}
	if err := chaos.JoinErrors(errs...); err != nil {
		return chaos.Failed, err
	}
	return out, nil
}

// Alive tells whether a process with the PID exists and is not a zombie.
func Alive(pid int) bool {
	_, err := proc.StartOf(pid)
	return err == nil && !proc.IsZombie(pid)
}
