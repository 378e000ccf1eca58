package proxy

import (
	"net"

	"golang.org/x/sys/unix"
)

// pause makes a socket stop listening. The socket stays bound, so that the kernel gives its port to
// no other connection of this machine meanwhile.
func pause(l *net.TCPListener) error {
	return control(l, func(fd int) error { return unix.Shutdown(fd, unix.SHUT_RD) })
}

// resume makes a paused socket listen again.
func resume(l *net.TCPListener) (*net.TCPListener, error) {
	err := control(l, func(fd int) error { return unix.Listen(fd, backlog) })
	if err != nil {
		_ = l.Close()
		return net.ListenTCP("tcp", l.Addr().(*net.TCPAddr))
	}
	return l, nil
}

// backlog is the requested queue length; the kernel limits it to net.core.somaxconn.
const backlog = 65535

func control(l *net.TCPListener, f func(fd int) error) error {
	rc, err := l.SyscallConn()
	if err != nil {
		return err
	}
	var ferr error
	if err := rc.Control(func(fd uintptr) { ferr = f(int(fd)) }); err != nil {
		return err
	}
	return ferr
}
