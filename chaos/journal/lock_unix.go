//go:build unix

package journal

import (
	"errors"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// openShared opens a file that others may rename or remove meanwhile, for its owner
// alone.
func openShared(name string, flag int) (*os.File, error) { return os.OpenFile(name, flag, 0o600) }

// errHeld is what lock gives while somebody else holds the lock.
const errHeld = unix.EWOULDBLOCK

// lock takes a file's lock, which ends with the process.
func lock(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }

// unlock gives a file's lock back, whoever has the file open as well: a process that is being started
// just now has, until its program is loaded.
func unlock(f *os.File) error { return unix.Flock(int(f.Fd()), unix.LOCK_UN) }

// isLocked tells whether somebody else holds the lock of f.
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

// syncDir makes a change of a directory's entries last.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// ownSession gives a child a session of its own, so that no signal meant for
// brunt's terminal reaches it.
func ownSession(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
