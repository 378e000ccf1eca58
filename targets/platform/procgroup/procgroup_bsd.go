//go:build unix && !linux

package procgroup

import (
	"os/exec"
	"syscall"
)

// Own gives a command a process group of its own, and keeps its other attributes.
func Own(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
}
