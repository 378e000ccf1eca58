package proxy

import (
	"io"
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// CloseSocket shuts a socket down in both directions and closes it. It releases the port of a UDP socket that
// has a port of the kernel's choice. An argument that is not a socket is only closed.
func CloseSocket(c io.Closer) error {
	onControl(c, func(fd int) {
		_ = unix.Shutdown(fd, unix.SHUT_RDWR)
		if _, ok := c.(*net.UDPConn); ok {
			disconnect(fd)
		}
	})
	return c.Close()
}

// resetSocket closes a connection with a TCP reset, which drops all unsent data.
func resetSocket(c *net.TCPConn) error {
	onControl(c, disconnect)
	_ = c.SetLinger(0)
	return c.Close()
}

// onControl calls f with the descriptor of an open socket.
func onControl(c io.Closer, f func(fd int)) {
	s, ok := c.(syscall.Conn)
	if !ok {
		return
	}
	if raw, err := s.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { f(int(fd)) })
	}
}

// dropped returns how many datagrams the kernel dropped because the buffer of a socket was full; 0 if it does not tell.
func dropped(fd uintptr) uint32 {
	const drops = 8 // SK_MEMINFO_DROPS of linux/sock_diag.h
	var info [drops + 1]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, _ = unix.RawSyscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	return info[drops]
}

// disconnect removes the address and the peer of a socket, see AF_UNSPEC in connect(2). It resets a TCP
// connection. The standard library has no type for this address.
func disconnect(fd int) {
	none := unix.RawSockaddr{Family: unix.AF_UNSPEC}
	_, _, _ = unix.RawSyscall(unix.SYS_CONNECT, uintptr(fd), uintptr(unsafe.Pointer(&none)), unsafe.Sizeof(none))
}
