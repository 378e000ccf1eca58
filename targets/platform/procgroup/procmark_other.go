//go:build !linux

package procgroup

import "context"

// FindMarked returns nothing, because this system does not allow reading the environment of other processes.
func FindMarked(...string) (pids []int, starting bool) { return nil, false }

// KillMarked does nothing on this system.
func KillMarked(context.Context, func(pid int) bool, ...string) (found bool, err error) {
	return false, nil
}
