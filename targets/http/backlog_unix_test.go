//go:build unix

package http_test

import (
	"fmt"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// fullBacklog listens without accepting, with a full backlog: a new connection gets no answer.
// The URL is empty if the system does not support that.
func fullBacklog(t *testing.T) (url string, end func()) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	var held []net.Conn
	end = func() {
		for _, c := range held {
			_ = c.Close()
		}
		_ = unix.Close(fd)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	addr := fmt.Sprintf("127.0.0.1:%d", sa.(*unix.SockaddrInet4).Port)
	for range 20 {
		c, err := net.DialTimeout("tcp4", addr, 300*time.Millisecond)
		if err != nil {
			return "http://" + addr, end
		}
		held = append(held, c)
	}
	end()
	return "", func() {}
}
