package netns

import (
	"crypto/rand"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// claimed begins the names of the sockets of claims. The @ stands for the zero byte of an abstract name.
const claimed = "@brunt/run/"

// claim claims the namespace for its run. It is nil if the namespace names no run. Of two runs that claim at the same
// time, both may be refused.
func (n *Namespace) claim() (c *claim, err error) {
	if n.Run == "" {
		return nil, nil
	}
	err = n.Do(func() error {
		fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("claiming the network for the run: %w", err)
		}
		name := claimed + n.Run + "/" + rand.Text()
		c = &claim{socket: os.NewFile(uintptr(fd), name)}
		if err := unix.Bind(fd, &unix.SockaddrUnix{Name: name}); err != nil {
			return fmt.Errorf("claiming the network for the run: %w", err)
		}
		return n.alone()
	})
	if err != nil {
		_ = c.release()
		return nil, err
	}
	return c, nil
}

// alone returns an error that names the other run if another run has claimed the thread's namespace.
func (n *Namespace) alone() error {
	sockets, err := os.ReadFile("/proc/thread-self/net/unix")
	if err != nil {
		return fmt.Errorf("looking for other runs in the network: %w", err)
	}
	for line := range strings.Lines(string(sockets)) {
		_, of, found := strings.Cut(line, " "+claimed)
		if run, _, _ := strings.Cut(of, "/"); found && run != n.Run {
			return fmt.Errorf("another run of brunt, %s, has a fault in this network, and packets would meet both: "+
				"start this one after its end, or hit another unit", run)
		}
	}
	return nil
}
