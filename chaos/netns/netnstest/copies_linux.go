package netnstest

import (
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// Copies gives this process a second descriptor of every file that it has open, as a process has them that
// is being started, until its program is loaded. They are closed by what is returned.
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
