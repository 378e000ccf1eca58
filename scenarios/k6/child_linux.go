package k6

import (
	"os/exec"
	"syscall"
)

// apart puts the process into its own process group, so that brunt decides what happens on
// ctrl-C, and has the kernel kill it when brunt dies.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
