package machine

import (
	"time"

	"golang.org/x/sys/windows"
)

// CPUTime returns the CPU time that brunt has used.
func CPUTime() time.Duration {
	var created, exited, kernel, user windows.Filetime
	if windows.GetProcessTimes(windows.CurrentProcess(), &created, &exited, &kernel, &user) != nil {
		return 0
	}
	ticks := func(f windows.Filetime) int64 { return int64(f.HighDateTime)<<32 | int64(f.LowDateTime) }
	return time.Duration(100 * (ticks(kernel) + ticks(user)))
}

// FileLimit returns 0, because Windows has no such limit.
func FileLimit() uint64 { return 0 }

func RaiseFileLimit(want uint64) (soft, hard uint64) { return want, want }

// Free returns how many bytes are free for brunt on the disk of a folder; negative: that is not known.
func Free(dir string) int64 {
	var free uint64
	at, err := windows.UTF16PtrFromString(dir)
	if err != nil || windows.GetDiskFreeSpaceEx(at, &free, nil, nil) != nil {
		return -1
	}
	return int64(free)
}
