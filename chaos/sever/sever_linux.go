package sever

import (
	"io"
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Shut closes a socket: it does not listen any more, and nothing more comes or goes. The port of one of
// UDP is free, if the kernel chose it. What is no socket is closed.
func Shut(c io.Closer) error {
	do(c, func(fd int) {
		_ = unix.Shutdown(fd, unix.SHUT_RDWR)
		if _, ok := c.(*net.UDPConn); ok {
			disconnect(fd)
		}
	})
	return c.Close()
}

// Reset closes a connection by a reset, with all that is on its way.
func Reset(c *net.TCPConn) error {
	do(c, disconnect)
	_ = c.SetLinger(0)
	return c.Close()
}

// do calls f with the descriptor of a socket that is open.
func do(c io.Closer, f func(fd int)) {
	s, ok := c.(syscall.Conn)
	if !ok {
		return
	}
	if raw, err := s.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { f(int(fd)) })
	}
}

// disconnect dissolves what a socket is connected and bound to, as connect(2) has it. A connection of TCP
// is reset by that. The library has no address for it.
func disconnect(fd int) {
	none := unix.RawSockaddr{Family: unix.AF_UNSPEC}
	_, _, _ = unix.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&none)), unsafe.Sizeof(none))
}
