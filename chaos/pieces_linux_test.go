package chaos_test

import (
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestParametersOfPieces counts and times the pieces of a stream in the kernel: a reader on a busy
// machine gets several at once.
func TestParametersOfPieces(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	r := newFixture(t, false)
	conn := r.dial(0)
	out := r.inject("tcp.slicer: {from: web, to: store, size: 100, variation: 50, delay: 5ms, direction: response}")
	before, began := segments(t, conn), time.Now()
	if _, err := conn.Write(make([]byte, 2000)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 2000)); err != nil {
		t.Fatal(err)
	}
	// With 50 to 150 bytes each.
	if took, pieces := time.Since(began), segments(t, conn)-before; took < 13*5*ms || took > 2000*ms || pieces < 14 ||
		pieces > 40 {
		t.Errorf("2000 bytes came in %d pieces over %s", pieces, took)
	}
	out()
	if there, back := r.best(conn); there+back > 45*ms {
		t.Errorf("afterwards it takes %s and %s", there, back)
	}
}

// segments returns the number of segments with data received on a connection.
func segments(t *testing.T, conn net.Conn) int {
	t.Helper()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var info *unix.TCPInfo
	var asked error
	if err := raw.Control(func(fd uintptr) {
		info,
			asked = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO)
	}); err != nil || asked != nil {
		t.Fatal(err, asked)
	}
	return int(info.Data_segs_in)
}
