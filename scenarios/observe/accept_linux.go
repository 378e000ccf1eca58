package observe

import (
	"fmt"
	"os"
)

// acceptQueues counts the attempts to connect that the kernel dropped in a unit's network namespace because an accept
// queue was full.
type acceptQueues struct {
	space string // the network namespace that was read last
	last  int64
	sum   int64
}

// read adds the attempts that were dropped since the last reading. Drops in a namespace before its first reading do
// not count.
func (q *acceptQueues) read(pid int) {
	space, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		return
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/net/netstat", pid))
	if err != nil {
		return
	}
	now := overflows(b)
	if q.space == space {
		q.sum += max(0, now-q.last)
	}
	q.space, q.last = space, now
}

// shared reports whether the namespace that was read last is brunt's own.
func (q *acceptQueues) shared() bool {
	own, err := os.Readlink("/proc/self/ns/net")
	return err == nil && own == q.space
}

// overflows reads ListenOverflows from /proc/net/netstat.
func overflows(netstat []byte) int64 { return counter(netstat, "TcpExt:", "ListenOverflows") }
