package observe

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"brunt/chaos/netns/sockdiag"
)

// baseline is the last reading of a unit's traffic.
type baseline struct {
	space    string // the network namespace
	flows    map[connection]uint32
	segments int64 // TCP segments from outside of the namespace
}

type connection struct{ local, remote netip.AddrPort }

// moved reports whether there was traffic since the call before, or since the first call in the present network
// namespace.
func (b *baseline) moved(since time.Time, pid int, port uint16) (some, ok bool) {
	space, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid))
	if err != nil {
		return false, false
	}
	own, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return false, false
	}
	if space != own {
		return b.fromOutside(pid, space)
	}
	return b.onPort(since, pid, port)
}

// connections is the last list of the connections in brunt's network namespace. All units share it, because the
// kernel always lists all connections, including thousands that are closed.
var connections connectionList

type connectionList struct {
	mu    sync.Mutex
	at    time.Time
	flows []sockdiag.Flow
}

// list returns a list that was begun at since or later. An older list lacks connections, which a later comparison
// would take for new ones.
func (c *connectionList) list(since time.Time) ([]sockdiag.Flow, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.at.IsZero() && !c.at.Before(since) {
		return c.flows, nil
	}
	began := time.Now()
	all, err := sockdiag.Flows()
	if err != nil {
		return nil, err
	}
	c.flows, c.at = all, began
	return all, nil
}

// onPort looks for new connections to the unit's port, and for data on connections that it already had.
func (b *baseline) onPort(since time.Time, pid int, port uint16) (some, ok bool) {
	all, err := connections.list(since)
	if err != nil {
		return false, false
	}
	held := socketsOf(pid)
	now := map[connection]uint32{}
	for _, f := range all {
		accepted := f.Local.Port() == port
		if !accepted && f.Remote.Port() != port && !held[f.Inode] {
			continue
		}
		// For the end of a connection at another process only its existence counts: the data that it receives may be
		// an answer to others.
		at := connection{f.Local, f.Remote}
		if now[at] = 0; accepted || held[f.Inode] {
			now[at] = f.Segments
		}
	}
	last := b.flows
	if b.flows = now; last == nil {
		return false, true
	}
	for at, segments := range now {
		if before, had := last[at]; !had || segments > before {
			return true, true
		}
	}
	return false, true
}

// socketsOf lists the sockets that a process holds, by inode. It is empty if brunt may not read them.
func socketsOf(pid int) map[uint32]bool {
	out := map[uint32]bool{}
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return out
	}
	for _, e := range entries {
		to, err := os.Readlink(dir + "/" + e.Name())
		if err != nil || !strings.HasPrefix(to, "socket:[") {
			continue
		}
		if n, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimPrefix(to, "socket:["), "]"), 10, 32); err == nil {
			out[uint32(n)] = true
		}
	}
	return out
}

// fromOutside compares the number of TCP segments that arrived in a namespace through devices other than loopback
// with the last reading. The answer is unknown if the number seems to have decreased: loopback then had packets that
// no counter distinguishes from segments.
func (b *baseline) fromOutside(pid int, space string) (some, ok bool) {
	var files [3][]byte
	for i, name := range []string{"snmp", "dev", "snmp6"} {
		var err error
		files[i], err = os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, name))
		if err != nil && name != "snmp6" { // a system without IPv6 does not have it
			return false, false
		}
	}
	now := segmentsOutside(files[0], files[2], files[1])
	if b.space != space {
		b.space, b.segments = space, now
		return false, true
	}
	last := b.segments
	b.segments = max(last, now)
	return now > last, now >= last
}

// segmentsOutside returns the number of TCP segments that did not come through loopback, or a larger number: all
// datagrams and ICMP messages are subtracted from loopback's packets, even those that came from outside. So traffic
// may be seen where there was none. Datagrams that wait in a socket are in no counter, and make the number smaller
// until they are read.
func segmentsOutside(snmp, snmp6, dev []byte) int64 {
	others := counter(snmp, "Icmp:", "InMsgs") + counter6(snmp6, "Icmp6InMsgs")
	for _, name := range []string{"InDatagrams", "NoPorts", "InErrors"} {
		others += counter(snmp, "Udp:", name) + counter6(snmp6, "Udp6"+name)
	}
	return counter(snmp, "Tcp:", "InSegs") - max(0, received(dev, "lo")-others)
}

// counter6 reads a counter of /proc/net/snmp6: lines of a name and a value.
func counter6(b []byte, name string) int64 {
	for line := range bytes.Lines(b) {
		if fields := bytes.Fields(line); len(fields) == 2 && string(fields[0]) == name {
			n, _ := strconv.ParseInt(string(fields[1]), 10, 64)
			return n
		}
	}
	return 0
}

// counter reads a counter of /proc/net/snmp and netstat: pairs of lines, one of names and one of values.
func counter(b []byte, protocol, name string) int64 {
	var names [][]byte
	for line := range bytes.Lines(b) {
		fields := bytes.Fields(line)
		if len(fields) == 0 || string(fields[0]) != protocol {
			continue
		}
		if names == nil {
			names = fields
			continue
		}
		for i := range min(len(names), len(fields)) {
			if string(names[i]) == name {
				n, _ := strconv.ParseInt(string(fields[i]), 10, 64)
				return n
			}
		}
	}
	return 0
}

// received reads the packets that a device received from /proc/net/dev.
func received(b []byte, device string) int64 {
	for line := range bytes.Lines(b) {
		name, numbers, found := bytes.Cut(line, []byte(":"))
		if fields := bytes.Fields(numbers); found && string(bytes.TrimSpace(name)) == device && len(fields) > 1 {
			n, _ := strconv.ParseInt(string(fields[1]), 10, 64)
			return n
		}
	}
	return 0
}
