package journal

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"brunt/chaos"
	"brunt/chaos/proc"
	"brunt/targets/platform/procgroup"
)

// Names of the undos that end processes which brunt started.
const (
	opEnd   = "process.end"   // ends a process and its group
	opSweep = "process.sweep" // ends all processes with the run's mark
)

// ProcessesUndo returns the undo of the start of a stack: it kills every process with the run's mark in its
// environment.
func ProcessesUndo(run string) chaos.Undo {
	b, _ := json.Marshal(proc.RunMark + run)
	return chaos.Undo{Op: opSweep, Args: b}
}

// ProcessUndo returns the undo of the start of one process of a stack.
func ProcessUndo(pid int) (chaos.Undo, error) {
	id, err := proc.Identify(pid)
	if err != nil {
		return chaos.Undo{}, err
	}
	return chaos.Undo{Op: opEnd, Identity: id.Raw()}, nil
}

// processOperations kill processes that brunt started.
func processOperations() []chaos.Operation {
	return []chaos.Operation{
		{Name: opEnd, Do: OnProcess(EndGroup)},
		{Name: opSweep, Do: func(ctx context.Context, u chaos.Undo) (chaos.Outcome, error) {
			var mark string
			if err := json.Unmarshal(u.Args, &mark); err != nil || !strings.HasPrefix(mark, proc.RunMark) ||
				mark == proc.RunMark {
				return chaos.Failed, fmt.Errorf("%w: %q is not a run's mark", chaos.ErrDamaged, u.Args)
			}
			return EndMarked(ctx, mark)
		}},
	}
}

// OnProcess makes the Do of an operation from a function on the process that the undo identifies.
func OnProcess(
	do func(context.Context, proc.Identity) (chaos.Outcome, error),
) func(context.Context, chaos.Undo) (chaos.Outcome, error) {
	return func(ctx context.Context, u chaos.Undo) (chaos.Outcome, error) {
		var id proc.Identity
		if err := json.Unmarshal(u.Identity, &id); err != nil {
			return chaos.Failed, fmt.Errorf("%w: %w", chaos.ErrDamaged, err)
		}
		return do(ctx, id)
	}
}

// EndGroup kills a process and its group.
func EndGroup(ctx context.Context, id proc.Identity) (chaos.Outcome, error) {
	if !id.Alive() {
		return chaos.Gone, nil
	}
	procgroup.Kill(id.PID)
	_ = proc.Signal(id, "KILL") // in case it left its group
	if err := proc.Await(ctx, proc.EndsWithin, func() bool { return !id.Alive() }, "it does not end"); err != nil {
		return chaos.Failed, fmt.Errorf("pid %d: %w", id.PID, err)
	}
	return chaos.Reverted, nil
}

// EndMarked kills every process whose environment contains mark, a NAME=value, until there is none left.
func EndMarked(ctx context.Context, mark string) (chaos.Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, proc.EndsWithin)
	defer cancel()
	found, err := procgroup.KillMarked(ctx, func(pid int) bool { return proc.Protect(pid) != nil }, mark)
	switch {
	case err != nil:
		return chaos.Failed, err
	case found:
		return chaos.Reverted, nil
	}
	return chaos.Gone, nil
}
