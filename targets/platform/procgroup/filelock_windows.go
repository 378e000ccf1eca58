package procgroup

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// One byte far beyond the end of the file represents the whole file, so that others can read it while it is locked.
const wholeFile = 1

func lockAt() *windows.Overlapped { return &windows.Overlapped{OffsetHigh: 1 << 30} }

// TryLock takes the lock of a file. The error is [ErrLockHeld] while another process holds it.
func TryLock(f *os.File) error {
	err := lockFile(f, windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return ErrLockHeld
	}
	return err
}

// LockFile takes the lock of a file, and waits while another process holds it.
func LockFile(f *os.File) error { return lockFile(f, windows.LOCKFILE_EXCLUSIVE_LOCK) }

// UnlockFile releases the lock of a file.
func UnlockFile(f *os.File) error {
	return windows.UnlockFileEx(windows.Handle(f.Fd()), 0, wholeFile, 0, lockAt())
}

// LockHeld reports whether another process holds the lock of a file.
func LockHeld(f *os.File) (bool, error) {
	err := TryLock(f)
	if errors.Is(err, ErrLockHeld) {
		return true, nil
	}
	if err == nil {
		err = UnlockFile(f)
	}
	return false, err
}

func lockFile(f *os.File, flags uint32) error {
	return windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, wholeFile, 0, lockAt())
}
