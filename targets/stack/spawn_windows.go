package stack

import (
	"os"
	"os/exec"
	"syscall"
)

// ownGroup gives a process a group of its own.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// terminate ends a process: there is no gentler way that works for all.
func terminate(pid int) { killGroup(pid) }

func killGroup(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill()
		_ = p.Release()
	}
}

// awaitExit is left to Wait here.
func awaitExit(int) {}
