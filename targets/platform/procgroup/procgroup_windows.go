package procgroup

import (
	"os"
	"os/exec"
	"syscall"
)

// Own gives a command a process group of its own, and keeps its other attributes.
func Own(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.CreationFlags |= syscall.CREATE_NEW_PROCESS_GROUP
}

// Terminate kills a process, because no gentler method works for all processes.
func Terminate(pid int) { Kill(pid) }

// Kill kills a process.
func Kill(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill()
		_ = p.Release()
	}
}
