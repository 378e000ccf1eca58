package child

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// endWithParent takes the process out of brunt's console group. It ends with its input.
func endWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP | windows.DETACHED_PROCESS}
}
