//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// suspended signals that the user suspends brunt (Ctrl-Z). brunt reverts faults before it
// stops, since a stopped process could not.
func suspended() <-chan os.Signal {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGTSTP)
	return c
}

// stopSelf stops brunt as SIGTSTP would have.
func stopSelf() { _ = syscall.Kill(os.Getpid(), syscall.SIGSTOP) }
