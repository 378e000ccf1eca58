package journal

import (
	"errors"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

const wholeFile = 1 // one byte far beyond the end stands for the file

var lockAt = windows.Overlapped{OffsetHigh: 1 << 30}

// openShared opens a file that other processes may rename or remove meanwhile.
//
// subtle: package os opens files without that right, even for this process.
func openShared(name string, flag int) (*os.File, error) {
	path, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	access, how := uint32(windows.GENERIC_READ), uint32(windows.OPEN_EXISTING)
	if flag&os.O_RDWR != 0 {
		access |= windows.GENERIC_WRITE
	}
	if flag&os.O_CREATE != 0 {
		how = windows.CREATE_NEW
	}
	const share = windows.FILE_SHARE_READ | windows.FILE_SHARE_WRITE | windows.FILE_SHARE_DELETE
	h, err := windows.CreateFile(path, access, share, nil, how, windows.FILE_ATTRIBUTE_NORMAL, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	return os.NewFile(uintptr(h), name), nil
}

// errHeld is the error of lock while another process holds the lock.
const errHeld = windows.ERROR_LOCK_VIOLATION

// lock takes a file's lock, which ends with the process.
func lock(f *os.File) error {
	at := lockAt
	return windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, wholeFile, 0, &at)
}

func unlock(f *os.File) error {
	at := lockAt
	return windows.UnlockFileEx(windows.Handle(f.Fd()), 0, wholeFile, 0, &at)
}

// isLocked reports whether another process holds the lock of f.
func isLocked(f *os.File) (bool, error) {
	err := lock(f)
	if errors.Is(err, errHeld) {
		return true, nil
	}
	if err == nil {
		err = unlock(f)
	}
	return false, err
}

// syncDir does nothing: Windows cannot sync directories.
func syncDir(string) error { return nil }

// ownSession takes a child out of brunt's console group.
func ownSession(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP | windows.DETACHED_PROCESS}
}
