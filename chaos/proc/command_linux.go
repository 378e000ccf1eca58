package proc

import (
	"os/exec"
	"syscall"
)

// OwnGroup gives a command a group of its own, and has the kernel end it when the
// thread that started it does.
func OwnGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
