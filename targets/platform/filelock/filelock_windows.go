package filelock

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// One byte far beyond the end stands for the file, which others can read while it is locked.
const wholeFile = 1

func lockAt() *windows.Overlapped { return &windows.Overlapped{OffsetHigh: 1 << 30} }

// Try takes the lock of a file. The error is [ErrHeld] while another process holds it.
func Try(f *os.File) error {
	err := lockFile(f, windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return ErrHeld
	}
	return err
}

// Lock takes the lock of a file, and waits while another process holds it.
func Lock(f *os.File) error { return lockFile(f, windows.LOCKFILE_EXCLUSIVE_LOCK) }

// Unlock releases the lock of a file.
func Unlock(f *os.File) error {
	return windows.UnlockFileEx(windows.Handle(f.Fd()), 0, wholeFile, 0, lockAt())
}

// Held reports whether another process holds the lock of a file.
func Held(f *os.File) (bool, error) {
	err := Try(f)
	if errors.Is(err, ErrHeld) {
		return true, nil
	}
	if err == nil {
		err = Unlock(f)
	}
	return false, err
}

func lockFile(f *os.File, flags uint32) error {
	return windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, wholeFile, 0, lockAt())
}
