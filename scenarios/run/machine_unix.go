//go:build linux || darwin

package run

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime is the CPU time that brunt has used.
func cpuTime() time.Duration {
	var ru unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &ru) != nil {
		return 0
	}
	return time.Duration(ru.Utime.Nano() + ru.Stime.Nano())
}

// fileLimit is how many files brunt may have open.
func fileLimit() uint64 {
	var l unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &l) != nil {
		return 0
	}
	return uint64(l.Cur)
}

// raiseFiles raises the soft limit of open files to want, as far as the hard one
// lets it, and gives both as they are then.
func raiseFiles(want uint64) (soft, hard uint64) {
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
