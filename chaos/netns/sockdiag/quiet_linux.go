package sockdiag

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"time"

	mnl "github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// An End is one end of IPv4 TCP connections.
type End struct {
	Addr  netip.AddrPort
	Local bool // the end is in the thread's namespace
}

// Quiet destroys connections of the thread's namespace at a moment without data under way on them: the other end
// has acknowledged all sent data and has sent last, and the program has read all received data. A program that
// waits for an answer therefore loses none, and a program that writes next gets an error and knows that nothing was
// sent.
//
// A program of eBPF looks at a connection and destroys it under the lock of its socket. On a kernel without that,
// Quiet stops the socket while it looks and destroys, by the descriptor that its process holds (see stopped). Where
// it may not do that either, the kernel's report on a connection may be some microseconds old when the connection
// is destroyed, so it destroys none that was in use within unheldIdle.
type Quiet struct {
	program *ender
	holders holders
}

// NewQuiet returns a Quiet.
func NewQuiet() *Quiet {
	p, err := newEnder()
	if err != nil {
		return &Quiet{}
	}
	return &Quiet{program: p}
}

// Close frees the program.
func (q *Quiet) Close() error {
	if q.program == nil {
		return nil
	}
	return q.program.Close()
}

// freshIdle is the idle time that is required of a connection on which no data has arrived yet: its program may be
// about to use it, and on a busy machine waits for a processor before it does.
const freshIdle = 250 * time.Millisecond

// unheldIdle is the idle time that is required of a connection whose socket can't be stopped.
const unheldIdle = 200 * time.Millisecond

// End destroys the quiet connections with one of the ends that have been idle for a time. left is the number of the
// others.
func (q *Quiet) End(of []End, idle time.Duration) (left int, err error) {
	switch {
	case len(of) == 0:
		return 0, nil
	case q.program != nil:
		return q.program.end(of, idle)
	}
	wanted := map[End]bool{}
	for _, e := range of {
		wanted[e] = true
	}
	var found []socket
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		all, err := diag(mnl.Dump, diagRequest(family, unix.IPPROTO_TCP, 1<<tcpEstablished|1<<tcpSynSent,
			make([]byte, sockidLen)))
		if err != nil {
			return 0, err
		}
		for _, b := range all {
			if f := flowOf(b); wanted[End{Addr: f.Remote}] || wanted[End{Addr: f.Local, Local: true}] {
				found = append(found, socket{f.Inode, Socket{
					Proto: unix.IPPROTO_TCP, Local: f.Local, Remote: f.Remote, family: b[0], id: b[4 : 4+sockidLen],
				}})
			}
		}
	}
	q.holders.find(found)
	defer urgent()()
	for _, s := range found {
		over, err := q.endOne(s, idle)
		if err != nil {
			return 0, err
		}
		if !over {
			left++
		}
	}
	return left, nil
}

// A socket is one end of a connection, with the number of its file. It is zero if no process holds it.
type socket struct {
	inode uint32
	Socket
}

// endOne destroys a connection if it is quiet. over also counts one that has ended meanwhile.
func (q *Quiet) endOne(c socket, idle time.Duration) (over bool, err error) {
	if fd, held := q.holders.open(c.inode); held {
		defer unix.Close(fd)
		s, can := stop(fd, idle)
		if s != nil {
			defer s.release()
			_, err = Destroy([]Socket{c.Socket})
			return err == nil, err
		}
		if can {
			return false, nil
		}
	}
	now, err := diag(0, diagRequest(c.family, c.Proto, ^uint32(0), c.id))
	switch {
	case errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESTALE):
		return true, nil
	case err != nil || len(now) != 1 || !isQuiet(now[0], max(idle, unheldIdle)):
		return false, err
	}
	_, err = Destroy([]Socket{c.Socket})
	return err == nil, err
}

// TCP states besides those of [Connections].
const (
	tcpEstablished = 1
	tcpSynSent     = 2
)

// diag asks the kernel for sockets with their traffic counters. The answers are struct inet_diag_msg with attributes.
func diag(flags mnl.HeaderFlags, request []byte) (out [][]byte, err error) {
	c, err := mnl.Dial(unix.NETLINK_SOCK_DIAG, nil)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	request[2] = wantInfo
	all, err := c.Execute(mnl.Message{
		Header: mnl.Header{Type: sockDiagByFamily, Flags: mnl.Request | flags}, Data: request,
	})
	for _, m := range all {
		if len(m.Data) >= diagMessageLen {
			out = append(out, m.Data)
		}
	}
	return out, err
}

// Positions in struct inet_diag_msg and struct tcp_info.
const (
	stateAt        = 1
	unreadAt       = 56
	unackedAt      = 60
	lastSentAt     = 44 // milliseconds ago, like the next one
	lastReceivedAt = 52
	receivedAt     = 128 // bytes, as a 64-bit number
)

// isQuiet reports whether a connection has no data under way, from the kernel's report on it. If both ends sent
// last in the same tick of the kernel's clock, it can't be told which one was later.
func isQuiet(b []byte, idle time.Duration) bool {
	number := binary.NativeEndian.Uint32
	if b[stateAt] != tcpEstablished || number(b[unreadAt:]) > 0 || number(b[unackedAt:]) > 0 {
		return false
	}
	attributes, err := mnl.UnmarshalAttributes(b[diagMessageLen:])
	if err != nil {
		return false
	}
	for _, a := range attributes {
		if a.Type != infoAttribute || len(a.Data) < receivedAt+8 {
			continue
		}
		u := usage{
			sent: number(a.Data[lastSentAt:]), got: number(a.Data[lastReceivedAt:]),
			received: binary.NativeEndian.Uint64(a.Data[receivedAt:]),
		}
		return u.idle(idle) && (u.sent >= u.got || u.received == 0)
	}
	return false
}

// usage is when a connection was used.
type usage struct {
	sent, got uint32 // milliseconds since data was sent and received
	received  uint64 // bytes
}

// idle reports whether the connection has been idle for a time, or for longer if no data has arrived yet.
func (u usage) idle(d time.Duration) bool {
	if u.received == 0 {
		d = max(d, freshIdle)
	}
	return time.Duration(min(u.sent, u.got))*time.Millisecond >= d
}
