//go:build unix

package procgroup

import (
	"os"
	"runtime"
	"syscall"
)

// Peak returns the maximum memory of a process that has ended, or of one of its descendants for which it waited; zero
// means unknown. It is at least the memory that this process had when it started the other, because Linux includes
// that.
func Peak(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(usage.Maxrss)
	}
	return int64(usage.Maxrss) << 10
}
