//go:build unix

package procgroup

import "syscall"

// Terminate asks a process group to end. It resumes a stopped group, so that it receives the signal.
func Terminate(pid int) {
	_ = syscall.Kill(-pid, syscall.SIGTERM)
	_ = syscall.Kill(-pid, syscall.SIGCONT)
}

// Kill kills a process group.
func Kill(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
