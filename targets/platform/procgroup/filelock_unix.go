//go:build unix

package procgroup

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// TryLock takes the lock of a file. The error is [ErrLockHeld] while another process holds it.
func TryLock(f *os.File) error { return flock(f, unix.LOCK_EX|unix.LOCK_NB) }

// LockFile takes the lock of a file, and waits while another process holds it.
func LockFile(f *os.File) error { return flock(f, unix.LOCK_EX) }

// UnlockFile releases the lock of a file, even if another process has the file open. A process that is just being
// started has it open until its program is loaded.
func UnlockFile(f *os.File) error { return flock(f, unix.LOCK_UN) }

// LockHeld reports whether another process holds the lock of a file.
func LockHeld(f *os.File) (bool, error) {
	err := flock(f, unix.LOCK_SH|unix.LOCK_NB)
	if errors.Is(err, ErrLockHeld) {
		return true, nil
	}
	if err == nil {
		err = UnlockFile(f)
	}
	return false, err
}

func flock(f *os.File, how int) error {
	for {
		switch err := unix.Flock(int(f.Fd()), how); err {
		case unix.EINTR:
		case unix.EWOULDBLOCK:
			return ErrLockHeld
		default:
			return err
		}
	}
}
