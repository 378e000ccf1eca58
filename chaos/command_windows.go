package chaos

import (
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/windows"
)

var holding []string

// canHold: there is no sh, so a command begins before it is written down that it did.
const canHold = false

// killTree ends a process with all that it started.
func killTree(pid int) {
	if exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(pid)).Run() != nil {
		killGroup(pid)
	}
}

// ownGroup keeps a command from what is meant for brunt's console.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
}
