//go:build unix && !linux

package stack

import (
	"os/exec"
	"syscall"
)

// ownGroup gives a process a group of its own. Here the guard ends it when brunt
// dies.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// awaitExit is left to Wait here.
func awaitExit(int) {}
