package procgroup

import (
	"os/exec"
	"syscall"
)

// Own gives a command a process group of its own, and keeps its other attributes. The kernel kills the command when
// the thread that started it ends. So the starter must lock its thread for the lifetime of the command.
func Own(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid, cmd.SysProcAttr.Pdeathsig = true, syscall.SIGKILL
}
