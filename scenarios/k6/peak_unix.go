//go:build unix

package k6

import (
	"os"
	"runtime"
	"syscall"
)

// peak is how much memory the process had at most; zero is not known. It is no less than
// what brunt had as it started the process: Linux counts that in.
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
