package proc

import (
	"os/exec"
	"strconv"

	"brunt/targets/platform/procgroup"
)

var Holding []string

// CanHold is false: there is no sh, so a command starts before its undo is written.
const CanHold = false

// KillTree kills a process and all that it started.
func KillTree(pid int) {
	if exec.Command("taskkill", "/T", "/F", "/PID", strconv.Itoa(pid)).Run() != nil {
		procgroup.Kill(pid)
	}
}
