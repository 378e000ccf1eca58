//go:build unix && !linux

package process

import (
	"os/exec"
	"syscall"
)

// ownGroup starts the process in its own process group. The watchdog ends it when brunt dies.
func ownGroup(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
}

// awaitExit returns at once: Wait waits for the exit.
func awaitExit(int) {}
