package dial

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// bindLate has the port of a socket with a source address of its own chosen when it is
// connected: then only ports to the same destination count as taken, and not all that
// the address has in use.
func bindLate(c syscall.RawConn) {
	_ = c.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1) })
}
