package procgroup

import (
	"os/exec"
	"syscall"
)

// Own gives a command a process group of its own, besides the attributes that it has. The kernel kills the
// command when the thread that started it ends, so the starter locks its thread while the command is to live.
func Own(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid, cmd.SysProcAttr.Pdeathsig = true, syscall.SIGKILL
}
