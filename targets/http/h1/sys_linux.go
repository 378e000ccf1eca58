//go:build !race

package h1

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sysRead and sysWrite are for non-blocking sockets. They do not notify the scheduler, which would wake its monitor
// thread whenever load follows a pause. That would be a third of the cost of a request at moderate rates.

func sysRead(fd int, b []byte) (int, error) {
	return retry(unix.SYS_RECVFROM, fd, b, unix.MSG_DONTWAIT)
}

// sysPeek reads bytes without consuming them. Unlike unix.Recvfrom, it needs no memory for the address of the other
// side.
func sysPeek(fd int, b []byte) (int, error) {
	return retry(unix.SYS_RECVFROM, fd, b, unix.MSG_PEEK|unix.MSG_DONTWAIT)
}

func sysWrite(fd int, b []byte) (int, error) {
	return retry(unix.SYS_SENDTO, fd, b, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
}

func retry(call uintptr, fd int, b []byte, flags uintptr) (int, error) {
	for {
		n, _, err := syscall.RawSyscall6(call, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)),
			flags, 0, 0)
		switch err {
		case 0:
			return int(n), nil
		case syscall.EINTR:
			continue
		}
		return 0, err
	}
}
