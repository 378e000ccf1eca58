//go:build unix && !linux

package child

import (
	"os/exec"
	"syscall"
)

// endWithParent gives the process a group of its own, so that Ctrl-C reaches brunt alone. It ends with its input.
func endWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
