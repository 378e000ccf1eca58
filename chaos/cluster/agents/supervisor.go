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

// A Supervisor is the first program of an agent's pod. The agent is its child, and writes into a journal of the pod
// what the kernel does not take back with it.
//
//	the agent is killed      the supervisor takes back what the journal has open
//	the container is killed  the node starts it again, and the next supervisor does that before anything else
//
// Whichever it was, the pod ends then: brunt has lost the conversation with that agent, and makes another one if it
// needs one.
type Supervisor struct {
	State      string   // directory of the journal, which outlives the container
	Command    []string // of the agent
	Operations chaos.Operations
}

// Run runs the agent until its end, which the end of ctx asks for. An error says what is left; the node starts the
// container again then.
func (s Supervisor) Run(ctx context.Context, cmd *exec.Cmd) error {
	own := context.WithoutCancel(ctx)
	if before, err := journal.List(s.State); err != nil || len(before) > 0 {
		return errors.Join(err, s.replay(own))
	}
	cmd.Path, cmd.Args = s.Command[0], s.Command
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
	return s.replay(own)
}

// replay takes back what the journal has open.
func (s Supervisor) replay(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, chaos.UndoWithin)
	defer cancel()
	_, err := journal.Recover(ctx, s.Operations, s.State, "guard")
	return err
}
