//go:build unix

package k6

import (
	"os"
	"runtime"
	"syscall"
)

// peak returns the maximum memory of the process; zero means unknown. It is at least the memory that brunt had when
// it started the process, because Linux includes that.
func peak(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return int64(usage.Maxrss)
	}
	return int64(usage.Maxrss) << 10
}
