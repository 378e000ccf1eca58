package child

import (
	"os/exec"
	"syscall"
)

// endWithParent makes the kernel kill the process when the thread that starts it ends. The process gets a group of its
// own, so that Ctrl-C reaches brunt alone.
func endWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
