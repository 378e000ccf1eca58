package netnstest

import (
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// Copies duplicates every open file descriptor of this process, as fork(2) does for a child that
// has not called execve(2) yet. The returned function closes the duplicates.
func Copies(t testing.TB) (forget func()) {
	t.Helper()
	all, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	var copies []int
	for _, e := range all {
		fd, err := strconv.Atoi(e.Name())
		must(t, err)
		if fd, err = unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0); err == nil { // the directory itself is gone
			copies = append(copies, fd)
		}
	}
	return func() {
		for _, fd := range copies {
			unix.Close(fd)
		}
	}
}
