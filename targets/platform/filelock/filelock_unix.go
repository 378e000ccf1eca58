//go:build unix

package filelock

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Try takes the lock of a file. The error is [ErrHeld] while another process holds it.
func Try(f *os.File) error { return flock(f, unix.LOCK_EX|unix.LOCK_NB) }

// Lock takes the lock of a file, and waits while another process holds it.
func Lock(f *os.File) error { return flock(f, unix.LOCK_EX) }

// Unlock releases the lock of a file, even if another process has the file open: a process that is
// just being started has, until its program is loaded.
func Unlock(f *os.File) error { return flock(f, unix.LOCK_UN) }

// Held reports whether another process holds the lock of a file.
func Held(f *os.File) (bool, error) {
	err := flock(f, unix.LOCK_SH|unix.LOCK_NB)
	if errors.Is(err, ErrHeld) {
		return true, nil
	}
	if err == nil {
		err = Unlock(f)
	}
	return false, err
}

func flock(f *os.File, how int) error {
	for {
		switch err := unix.Flock(int(f.Fd()), how); err {
		case unix.EINTR:
		case unix.EWOULDBLOCK:
			return ErrHeld
		default:
			return err
		}
	}
}
