package k6

import (
	"os/exec"
	"syscall"
)

// apart puts the process into its own process group, so that brunt decides what happens on
// ctrl-C. When brunt dies, the process ends because its standard input does.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}
