//go:build unix

package journal

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// openShared opens a regular file that other processes may rename or remove meanwhile. Only its owner may read it. Each
// write appends at the end of the file, since a run that goes on and its watchdog may write at the same instant. It
// follows no link, and does not wait for the writer of a pipe.
func openShared(name string, flag int) (*os.File, error) {
	if flag&os.O_RDWR != 0 {
		flag |= os.O_APPEND
	}
	f, err := os.OpenFile(name, flag|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	switch {
	case errors.Is(err, syscall.ELOOP), errors.Is(err, syscall.ENXIO): // a link, a socket
		return nil, irregular(name)
	case err != nil:
		return nil, err
	}
	return checkRegular(f)
}

// appends reports whether a run and its watchdog may write at the same instant.
const appends = true

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
