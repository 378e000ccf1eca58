//go:build unix

package journal

import (
	"errors"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// openShared opens a file that other processes may rename or remove meanwhile. Only its owner may read
// it.
func openShared(name string, flag int) (*os.File, error) { return os.OpenFile(name, flag, 0o600) }

// errHeld is the error of lock while another process holds the lock.
const errHeld = unix.EWOULDBLOCK

// lock takes a file's lock, which ends with the process.
func lock(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }

// unlock releases a file's lock, even if another process has the file open: a process that is just
// being started has, until its program is loaded.
func unlock(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_UN) }

// isLocked reports whether another process holds the lock of f.
func isLocked(f *os.File) (bool, error) {
	err := unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	if errors.Is(err, errHeld) {
		return true, nil
	}
	if err == nil {
		err = unlock(f)
	}
	return false, err
}

// syncDir makes a change of a directory's entries durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// ownSession gives a child a session of its own, so that signals for brunt's terminal do not reach it.
func ownSession(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
