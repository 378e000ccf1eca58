package agents

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"

	"brunt/chaos"
	"brunt/chaos/journal"
	"brunt/targets/platform/procgroup"
)

// A Supervisor is the first program of an agent's pod. The agent is its child. It writes into a journal of the pod the
// faults that the kernel does not revert when the agent ends.
//
//	the agent is killed      the supervisor reverts the open entries of the journal
//	the container is killed  the node starts it again, and the next supervisor reverts them first
//
// In both cases the pod then ends: brunt has lost the conversation with that agent, and makes another agent if it needs
// one.
type Supervisor struct {
	State      string   // directory of the journal, which outlives the container
	Command    []string // command line of the agent
	Operations chaos.Operations
}

// Run runs the agent until its end, which the end of ctx asks for. An error says what is left; the node then starts the
// container again.
func (s Supervisor) Run(ctx context.Context, cmd *exec.Cmd) error {
	own := context.WithoutCancel(ctx)
	// The volume is the agent's alone, and was made writable by all, in which a journal is not replayed.
	if info, err := os.Stat(filepath.Dir(s.State)); err == nil && info.Mode()&(os.ModePerm|os.ModeSticky) == 0o777 {
		if err := os.Chmod(filepath.Dir(s.State), 0o700); err != nil {
			return err
		}
	}
	if before, err := journal.List(s.State); err != nil || len(before) > 0 {
		return errors.Join(err, s.replay(own))
	}
	cmd.Path, cmd.Args = s.Command[0], s.Command
	procgroup.Own(cmd)
	runtime.LockOSThread() // the agent ends with this thread
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the agent: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
	defer stop()
	if err := cmd.Wait(); err != nil { // brunt learns of it from the conversation
		fmt.Fprintf(cmd.Stderr, "the agent has ended: %v\n", err)
	}
	return s.replay(own)
}

// replay reverts the open entries of the journal.
func (s Supervisor) replay(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, chaos.UndoWithin)
	defer cancel()
	_, err := journal.Recover(ctx, s.Operations, s.State, "guard")
	return err
}
