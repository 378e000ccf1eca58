package agents

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"syscall"

	"brunt/chaos"
	"brunt/chaos/journal"
	"brunt/targets/platform/procgroup"
)

// A Keeper is the first program of an agent's pod. The agent is its child, and writes into a journal of the pod what the kernel does not take
// back with it.
//
//	the agent is killed      the keeper takes back what the journal has open
//	the container is killed  the node starts it again, and the next keeper does that before anything else
//
// Whichever it was, the pod ends then: brunt has lost the conversation with that agent, and makes another one if it needs one.
type Keeper struct {
	State      string   // directory of the journal, which outlives the container
	Command    []string // of the agent
	Operations chaos.Operations
}

// Run keeps the agent until its end, which the end of ctx asks for. An error says what is left; the node starts the container again then.
func (k Keeper) Run(ctx context.Context, cmd *exec.Cmd) error {
	own := context.WithoutCancel(ctx)
	if before, err := journal.List(k.State); err != nil || len(before) > 0 {
		return errors.Join(err, k.replay(own))
	}
	cmd.Path, cmd.Args = k.Command[0], k.Command
	procgroup.Own(cmd)
	runtime.LockOSThread() // the agent ends with it
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the agent: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
	defer stop()
	if err := cmd.Wait(); err != nil { // which brunt learns of by their conversation
		fmt.Fprintf(cmd.Stderr, "the agent has ended: %v\n", err)
	}
	return k.replay(own)
}

// replay takes back what the journal has open.
func (k Keeper) replay(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, chaos.UndoWithin)
	defer cancel()
	_, err := journal.Recover(ctx, k.Operations, k.State, "guard")
	return err
}
