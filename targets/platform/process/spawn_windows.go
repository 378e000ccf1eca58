package process

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup starts the process in its own process group.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// terminate kills a process: Windows has no gentler method that works for all processes.
func terminate(pid int) { KillGroup(pid) }

func KillGroup(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill()
		_ = p.Release()
	}
}

// awaitExit returns at once: Wait waits for the exit.
func awaitExit(int) {}

// defaultSignals does nothing: a child inherits no action for signals.
func defaultSignals() {}
