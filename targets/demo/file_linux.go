package demo

import (
	"os"

	"golang.org/x/sys/unix"
)

// lostFile makes a file in memory, which ends with the process.
func lostFile(name string) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	return os.NewFile(uintptr(fd), name), nil
}
