//go:build !linux

package procmark

import "context"

// Find returns nothing: the environment of other processes is not readable on this system.
func Find(...string) (pids []int, starting bool) { return nil, false }

// Kill does nothing on this system.
func Kill(context.Context, func(pid int) bool, ...string) (found bool, err error) { return false, nil }
