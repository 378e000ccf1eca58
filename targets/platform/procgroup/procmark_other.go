//go:build !linux

package procgroup

import "context"

// FindMarked returns nothing: the environment of other processes is not readable on this system.
func FindMarked(...string) (pids []int, starting bool) { return nil, false }

// KillMarked does nothing on this system.
func KillMarked(context.Context, func(pid int) bool, ...string) (found bool, err error) {
	return false, nil
}
