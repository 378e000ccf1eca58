//go:build linux || darwin

package machine

import (
	"time"

	"golang.org/x/sys/unix"
)

// CPUTime returns the CPU time that brunt has used.
func CPUTime() time.Duration {
	var ru unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &ru) != nil {
		return 0
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}

// FileLimit returns the number of files that brunt may have open.
func FileLimit() uint64 {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &l) != nil {
		return 0
	}
	return uint64(l.Cur)
}

// RaiseFileLimit raises the soft limit of open files to want, but not above the hard limit, and returns both limits.
func RaiseFileLimit(want uint64) (soft, hard uint64) {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &l) != nil {
		return want, want
	}
	if uint64(l.Cur) < want {
		up := l
		up.Cur = min(l.Max, want)
		if unix.Setrlimit(unix.RLIMIT_NOFILE, &up) == nil {
			l = up
		}
	}
	return uint64(l.Cur), uint64(l.Max)
}

// Free returns how many bytes are free for brunt on the disk of a folder; negative: that is not known.
func Free(dir string) int64 {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return -1
	}
	return int64(st.Bavail) * int64(st.Bsize)
}
