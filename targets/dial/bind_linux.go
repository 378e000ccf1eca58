package dial

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// bindLate makes the kernel choose the port of a socket with a source address at connect. Then
// only ports to the same destination count as taken, not all ports of the address.
func bindLate(c syscall.RawConn) {
	_ = c.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1) })
}
