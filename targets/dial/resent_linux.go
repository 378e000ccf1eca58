package dial

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// resentBySystem returns how often the system sent the SYN of a new connection again. It asks the system only if the
// connection took longer than any answer to the first SYN. For other connections it costs no call.
func resentBySystem(c *net.TCPConn, took time.Duration) (n int32) {
	if took < firstResend/5 {
		return 0
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return 0
	}
	_ = raw.Control(func(fd uintptr) {
		if info, err := unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			n = int32(info.Total_retrans)
		}
	})
	return n
}
