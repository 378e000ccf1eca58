package procgroup

import (
	"os/exec"
	"runtime"
)

// Start starts a command in a group of its own, and returns when it runs or could not be started. Start calls wait on
// another goroutine; wait returns when the command has ended.
//
// Subtle: on Linux the kernel kills the command when the thread that started it ends, not only when brunt ends, and
// the runtime may end any thread that is not locked. So the goroutine of wait keeps its thread to itself.
func Start(cmd *exec.Cmd, wait func()) error {
	Own(cmd)
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlock: the thread ends with this goroutine
		err := cmd.Start()
		started <- err
		if err == nil {
			wait()
		}
	}()
	return <-started
}
