package sockdiag

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// holders finds the descriptors of sockets in the processes that hold them.
type holders struct {
	at   map[uint32]holder // by inode of the socket
	pids []int             // of processes that held sockets that were looked for
}

// A holder is a descriptor of a process.
type holder struct{ pid, fd int }

// find looks for the sockets that are not known yet: first in the processes that held others.
func (h *holders) find(of []socket) {
	unknown := func() bool {
		return slices.ContainsFunc(of, func(s socket) bool { _, known := h.at[s.inode]; return s.inode != 0 && !known })
	}
	if unknown() {
		h.read(h.pids)
	}
	if unknown() {
		h.read(pids())
	}
	for _, s := range of {
		if at, known := h.at[s.inode]; known && !slices.Contains(h.pids, at.pid) {
			h.pids = append(h.pids, at.pid)
		}
	}
}

// pids lists the processes that this one sees.
func pids() (out []int) {
	all, _ := os.ReadDir("/proc")
	for _, e := range all {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			out = append(out, pid)
		}
	}
	return out
}

// read reads the descriptors of processes.
func (h *holders) read(pids []int) {
	if h.at == nil {
		h.at = map[uint32]holder{}
	}
	for _, pid := range pids {
		dir := fmt.Sprintf("/proc/%d/fd", pid)
		all, _ := os.ReadDir(dir) // none of a process that has ended, or may not be traced
		for _, e := range all {
			name := e.Name()
			to, err := os.Readlink(dir + "/" + name)
			inode, isSocket := strings.CutPrefix(to, "socket:[")
			if err != nil || !isSocket {
				continue
			}
			n, err1 := strconv.ParseUint(strings.TrimSuffix(inode, "]"), 10, 32)
			fd, err2 := strconv.Atoi(name)
			if err1 == nil && err2 == nil {
				h.at[uint32(n)] = holder{pid, fd}
			}
		}
	}
}

// open duplicates the descriptor of a socket. It needs Linux 5.6, and the right to trace the process. While the
// copy is open, the connection outlives a close by the process, so it is kept for some microseconds only.
func (h *holders) open(inode uint32) (fd int, ok bool) {
	at, known := h.at[inode]
	if !known {
		return 0, false
	}
	process, err := unix.PidfdOpen(at.pid, 0)
	if err != nil {
		return 0, false
	}
	defer unix.Close(process)
	if fd, err = unix.PidfdGetfd(process, at.fd, 0); err != nil {
		return 0, false
	}
	var is unix.Stat_t
	if err := unix.Fstat(fd, &is); err != nil || is.Ino != uint64(inode) { // the number belongs to another file since
		_ = unix.Close(fd)
		return 0, false
	}
	return fd, true
}

// urgent makes the thread run before all usual ones, where it may, until the returned function is called: what a
// stopped socket refuses to its program then takes microseconds on a busy machine too.
func urgent() (end func()) {
	usual, err := unix.SchedGetAttr(0, 0)
	if err != nil {
		return func() {}
	}
	first := &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1}
	if unix.SchedSetAttr(0, first, 0) != nil {
		return func() {}
	}
	return func() { _ = unix.SchedSetAttr(0, usual, 0) }
}

// A stopped socket takes no data from its program, which gets an error and knows that nothing was sent. That is the
// kernel's repair mode, which is meant for moving a connection to another machine.
type stopped struct{ fd int }

// noProbe is TCP_REPAIR_OFF_NO_WP: it leaves the repair mode and sends nothing.
const noProbe = -1

// stop stops a socket if its connection is quiet and has been idle for a time; otherwise s is nil. can is false if
// brunt lacks the right to stop it. Between its looks before and after that, the program may write and wait for the
// answer, and a stopped socket refuses to be read. So the first look comes right before the socket is stopped.
func stop(fd int, idle time.Duration) (s *stopped, can bool) {
	if u, quiet := look(fd); !quiet || !u.idle(idle) {
		return nil, true
	}
	if unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_REPAIR, 1) != nil {
		return nil, false
	}
	s = &stopped{fd}
	if !s.quiet(idle) {
		s.release()
		return nil, true
	}
	return s, true
}

// release lets the program use the socket again.
func (s *stopped) release() {
	if unix.SetsockoptInt(s.fd, unix.IPPROTO_TCP, unix.TCP_REPAIR, noProbe) != nil { // Linux before 4.19
		_ = unix.SetsockoptInt(s.fd, unix.IPPROTO_TCP, unix.TCP_REPAIR, 0)
	}
}

// look reports whether a connection has no data that is not acknowledged or not read, and when it was used.
func look(fd int) (u usage, quiet bool) {
	unacked, err1 := unix.IoctlGetInt(fd, unix.SIOCOUTQ)
	info, err2 := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
	unread, err3 := unix.IoctlGetInt(fd, unix.SIOCINQ)
	if err1 != nil || err2 != nil || err3 != nil || info.State != tcpEstablished {
		return u, false
	}
	u = usage{sent: info.Last_data_sent, got: info.Last_data_recv, received: info.Bytes_received}
	return u, unacked == 0 && unread == 0
}

// repairWindow is struct tcp_repair_window.
type repairWindow struct{ Acknowledged, SendWindow, MaxWindow, ReceiveWindow, Announced uint32 }

// quiet reports whether the other end has sent last, as the program of eBPF does: data has arrived since the segment
// that acknowledged the last written data, or in a later tick than data was sent. What has arrived is known as far as
// this end has acknowledged it.
func (s *stopped) quiet(idle time.Duration) bool {
	var w repairWindow
	size := uint32(unsafe.Sizeof(w))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(s.fd), unix.IPPROTO_TCP, unix.TCP_REPAIR_WINDOW,
		uintptr(unsafe.Pointer(&w)), uintptr(unsafe.Pointer(&size)), 0)
	u, quiet := look(s.fd)
	spoke := int32(w.Announced-w.Acknowledged) > 0 || u.received > 0 && u.sent > u.got
	return errno == 0 && quiet && spoke && u.idle(idle)
}
