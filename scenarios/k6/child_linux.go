package k6

import (
	"os/exec"
	"syscall"
)

// apart returns the process a group of its own, so that a ctrl-C is brunt's to pass on,
// and has the kernel kill it when brunt dies.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
