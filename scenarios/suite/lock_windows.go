package suite

import (
	"os"

	"golang.org/x/sys/windows"
)

// lock waits until no other process has the lock. It ends with the file, or with the process.
func lock(f *os.File) error {
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, new(windows.Overlapped))
}
