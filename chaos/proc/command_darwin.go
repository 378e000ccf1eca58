package proc

import (
	"os/exec"
	"syscall"
)

// OwnGroup gives a command a process group of its own.
func OwnGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
