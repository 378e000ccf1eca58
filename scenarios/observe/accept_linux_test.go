package observe

import (
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestAcceptQueues: attempts to connect to a program whose accept queue is full are counted, those before the first
// reading are not.
func TestAcceptQueues(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err := errors.Join(err, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}),
		unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	at, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	to := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: at.(*unix.SockaddrInet4).Port}
	var q acceptQueues
	q.read(os.Getpid())
	if q.sum != 0 || q.space == "" {
		t.Fatalf("%+v", q)
	}
	for range 5 { // the queue of length 0 takes one or two
		c, err := net.DialTimeout("tcp", to.String(), 100*time.Millisecond)
		if err == nil {
			defer c.Close()
		}
	}
	q.read(os.Getpid())
	if q.sum < 1 || !q.shared() {
		t.Errorf("%+v, shared %t", q, q.shared())
	}
	before := q.sum
	q.space = "net:[1]" // as after a restart in a namespace of its own
	if q.read(os.Getpid()); q.sum != before {
		t.Errorf("%d, want %d", q.sum, before)
	}
}

func TestOverflows(t *testing.T) {
	const text = "TcpExt: SyncookiesSent ListenOverflows ListenDrops\nTcpExt: 3 17 19\nIpExt: ListenOverflows\nIpExt: 99\n"
	if n := overflows([]byte(text)); n != 17 {
		t.Errorf("%d, want 17", n)
	}
	if n := overflows([]byte("TcpExt: A\n")); n != 0 {
		t.Errorf("%d, want 0", n)
	}
}
