//go:build unix

package process

import "syscall"

// terminate asks a process group to end. It resumes a stopped group, so that it receives the
// signal.
func terminate(pid int) {
	_ = syscall.Kill(-pid, syscall.SIGTERM)
	_ = syscall.Kill(-pid, syscall.SIGCONT)
}

// KillGroup kills a process group.
func KillGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
