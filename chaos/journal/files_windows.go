package journal

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// openShared opens a regular file that other processes may rename or remove meanwhile.
//
// subtle: package os opens files without the right to rename or remove them, even for this process.
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
	return checkRegular(os.NewFile(uintptr(h), name))
}

// appends reports whether a run and its watchdog may write at the same instant.
const appends = false

// syncDir does nothing: Windows cannot sync directories.
func syncDir(string) error { return nil }

// ownSession takes a child out of brunt's console group.
func ownSession(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP | windows.DETACHED_PROCESS}
}
