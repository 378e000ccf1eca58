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

// Quiet destroys connections of the thread's namespace at a moment without data under way on them: the other end has
// acknowledged all sent data and has sent last, and the program has read all received data. A program that waits for an
// answer therefore loses none, and a program that writes next gets an error and knows that nothing was sent.
//
// A program of eBPF looks at a connection and destroys it under the lock of its socket. Without eBPF, the kernel's
// report on a connection may be some microseconds old when the connection is destroyed, and says only in milliseconds
// which end sent last.
type Quiet struct{ program *ender }

// NewQuiet returns a Quiet. exact is false if the kernel accepts no eBPF program.
func NewQuiet() (q *Quiet, exact bool) {
	p, err := newEnder()
	if err != nil {
		return &Quiet{}, false
	}
	return &Quiet{p}, true
}

// Close frees the program.
func (q *Quiet) Close() error {
	if q.program == nil {
		return nil
	}
	return q.program.Close()
}

// freshIdle is the idle time that is required of a connection on which no data has arrived yet: its program may be
// about to use it.
const freshIdle = 50 * time.Millisecond

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
	var quiet []Socket
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		all, err := diag(mnl.Dump, diagRequest(family, unix.IPPROTO_TCP, 1<<tcpEstablished|1<<tcpSynSent,
			make([]byte, sockidLen)))
		if err != nil {
			return 0, err
		}
		for _, b := range all {
			f := flowOf(b)
			switch {
			case !wanted[End{Addr: f.Remote}] && !wanted[End{Addr: f.Local, Local: true}]:
			case isQuiet(b, idle):
				quiet = append(quiet, Socket{
					Proto: unix.IPPROTO_TCP, Local: f.Local, Remote: f.Remote, family: b[0], id: b[4 : 4+sockidLen],
				})
			default:
				left++
			}
		}
	}
	for _, s := range quiet {
		now, err := diag(0, diagRequest(s.family, s.Proto, ^uint32(0), s.id))
		switch {
		case errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESTALE): // the connection has ended
			continue
		case err == nil && len(now) == 1 && isQuiet(now[0], idle):
			if _, err = Destroy([]Socket{s}); err == nil {
				continue
			}
		}
		if err != nil {
			return 0, err
		}
		left++
	}
	return left, nil
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

// tie is the idle time that is required if both ends sent last in the same tick of the kernel's clock: a request may
// have followed an answer at once.
const tie = 100 * time.Millisecond

// isQuiet reports whether a connection has no data under way, from the kernel's report on it.
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
		sent, received := number(a.Data[lastSentAt:]), number(a.Data[lastReceivedAt:])
		if sent == received {
			idle = max(idle, tie)
		}
		if binary.NativeEndian.Uint64(a.Data[receivedAt:]) == 0 {
			idle = max(idle, freshIdle)
		}
		return sent >= received && time.Duration(received)*time.Millisecond >= idle
	}
	return false
}
