//go:build unix && !linux

package k6

import (
	"os/exec"
	"syscall"
)

// apart returns the process a group of its own, so that a ctrl-C is brunt's to pass on.
// When brunt dies it ends as its standard input does.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
