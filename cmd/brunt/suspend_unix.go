//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// suspended signals that the user suspends brunt (Ctrl-Z). brunt reverts faults before it stops, because a stopped
// process can't revert them.
func suspended() <-chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTSTP)
	return c
}

// stopSelf stops brunt like SIGTSTP would.
func stopSelf() { _ = syscall.Kill(os.Getpid(), syscall.SIGSTOP) }
