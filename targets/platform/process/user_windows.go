package process

import (
	"errors"
	"os/exec"
)

// runAs returns an error, because Windows can't start a process as another user here.
func runAs(*exec.Cmd, string) error {
	return errors.New("`user` needs Linux, macOS or a BSD: Windows starts no process as another user without a password")
}
