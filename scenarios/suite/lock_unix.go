//go:build unix

package suite

import (
	"os"

	"golang.org/x/sys/unix"
)

// lock waits until no other process holds the lock. Closing the file or ending the process releases
// it.
func lock(f *os.File) error {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX)
		if err != unix.EINTR {
			return err
		}
	}
}
