package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"brunt/targets/platform/procmark"
)

// Undos for the processes of a stack that brunt started.
const (
	opEnd   = "process.end"   // a process and its group
	opSweep = "process.sweep" // all that carry the run's mark
)

// runMark begins the entry in the environment that every process of a run has.
const runMark = "BRUNT_RUN="

// StackUndo takes back the start of a stack: every process that carries the run's
// mark in its environment is ended.
func StackUndo(run string) Undo {
	b, _ := json.Marshal(runMark + run)
	return Undo{Op: opSweep, Args: b}
}

// ProcessUndo takes back the start of one process of a stack.
func ProcessUndo(pid int) (Undo, error) {
	id, err := identify(pid)
	if err != nil {
		return Undo{}, err
	}
	return Undo{Op: opEnd, Identity: id.raw()}, nil
}

// processOperations end processes that brunt started.
func processOperations() []Operation {
	return []Operation{
		{Name: opEnd, Do: onProcess(endGroup)},
		{Name: opSweep, Do: func(ctx context.Context, u Undo) (Outcome, error) {
			var mark string
			if err := json.Unmarshal(u.Args, &mark); err != nil || !strings.HasPrefix(mark, runMark) || mark == runMark {
				return Failed, fmt.Errorf("%w: %q is no run's mark", ErrDamaged, u.Args)
			}
			return sweep(ctx, mark)
		}},
	}
}

// onProcess makes an undo of what is done to one process.
func onProcess(do func(context.Context, identity) (Outcome, error)) func(context.Context, Undo) (Outcome, error) {
	return func(ctx context.Context, u Undo) (Outcome, error) {
		var id identity
		if err := json.Unmarshal(u.Identity, &id); err != nil {
			return Failed, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		return do(ctx, id)
	}
}

// endGroup ends a process and its group.
func endGroup(ctx context.Context, id identity) (Outcome, error) {
	if !id.alive() {
		return Gone, nil
	}
	killGroup(id.PID)
	_ = signal(id, "KILL") // if it has left its group
	if err := await(ctx, endsWithin, func() bool { return !id.alive() }, "it does not end"); err != nil {
		return Failed, fmt.Errorf("pid %d: %w", id.PID, err)
	}
	return Reverted, nil
}

// sweep ends every process that carries mark in its environment, until none is
// found.
func sweep(ctx context.Context, mark string) (Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, endsWithin)
	defer cancel()
	found, err := procmark.Kill(ctx, func(pid int) bool { return protect(pid) != nil }, mark)
	switch {
	case err != nil:
		return Failed, err
	case found:
		return Reverted, nil
	}
	return Gone, nil
}
