package chaos

import (
	"os/exec"
	"syscall"
)

// ownGroup gives a command a group of its own.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
