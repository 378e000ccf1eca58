//go:build unix && (!linux || race)

package h1

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// sysRead and sysWrite are for non-blocking sockets. They use the standard library's calls, which tell the race
// detector that a write happened before the read of its data.

func sysRead(fd int, b []byte) (int, error) { return retry(syscall.Read, fd, b) }

func sysPeek(fd int, b []byte) (int, error) {
	return retry(func(fd int, b []byte) (int, error) {
		n, _, err := unix.Recvfrom(fd, b, unix.MSG_PEEK|unix.MSG_DONTWAIT)
		return n, err
	}, fd, b)
}

func sysWrite(fd int, b []byte) (int, error) { return retry(syscall.Write, fd, b) }

func retry(call func(int, []byte) (int, error), fd int, b []byte) (int, error) {
	for {
		n, err := call(fd, b)
		if err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}
