package proc

import (
	"os/exec"
	"syscall"
)

// OwnGroup gives a command a process group of its own. The kernel kills the command when the thread
// that started it ends.
func OwnGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
