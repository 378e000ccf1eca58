//go:build unix

package stack

import "syscall"

// terminate asks a process group to end. A stopped one is woken to hear it.
func terminate(pid int) {
	_ = syscall.Kill(-pid, syscall.SIGTERM)
	_ = syscall.Kill(-pid, syscall.SIGCONT)
}

// killGroup ends a process group.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }
