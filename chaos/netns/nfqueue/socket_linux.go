package nfqueue

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"brunt/chaos/netns/kernel"

	"golang.org/x/sys/unix"
)

// A Socket listens on a queue of nfnetlink_queue: the kernel queues packets and waits for the
// verdict on each. If no socket listens, or the queue is full, packets pass as if there were no
// queue. A Socket is for one thread; only close may be called from another.
//
// It replaces the libraries because each packet costs three system calls, or a fraction of one with
// batched verdicts, which the libraries don't support. When the Socket closes, the kernel drops the
// packets in the queue.
type Socket struct {
	fd     int
	Number uint16
	in     []byte
	out    []byte
	asked  uint32 // the sequence number of the last request
}

// Messages and attributes, from linux/netfilter/nfnetlink_queue.h.
const (
	msgPacket  = unix.NFNL_SUBSYS_QUEUE << 8
	msgVerdict = unix.NFNL_SUBSYS_QUEUE<<8 | 1
	msgConfig  = unix.NFNL_SUBSYS_QUEUE<<8 | 2

	cfgCommand, cfgParams, cfgLength, cfgMask, cfgFlags = 1, 2, 3, 4, 5
	cfgBind, cfgUnbind                                  = 1, 2
	cfgCopyPacket                                       = 2

	flagFailOpen, flagWhole = 1 << 0, 1 << 2 // flagWhole is GSO: unsegmented

	attrHeader, attrVerdict, attrPayload, attrLength = 1, 2, 10, 13

	netlinkHeader = 16 + 4 // struct nlmsghdr, struct nfgenmsg
)

// Options configures a queue.
type Options struct {
	Packets uint32 // most packets that the queue holds
	Bytes   uint32 // bytes of each packet that are copied to brunt
	Whole   bool   // packets of up to 64 KB arrive unsegmented
}

// firstQueue is the first queue number that is tried: most programs that use queues begin at 0.
const firstQueue = 0xb400

// OpenQueue opens a free queue in the thread's namespace.
func OpenQueue(c Options) (_ *Socket, err error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, fmt.Errorf("opening a netlink socket: %w", err)
	}
	q := &Socket{fd: fd, in: make([]byte, 1<<17)}
	defer func() {
		if err != nil {
			q.close()
		}
	}()
	// The queue's fail-open flag lets packets pass that do not fit into the socket, so the reader
	// needs no error for them.
	err = errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 32<<20),
		unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_NO_ENOBUFS, 1),
		unix.Connect(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}),
	)
	if err != nil {
		return nil, kernel.Hint(fmt.Errorf("setting up a netlink socket: %w", err))
	}
	for q.Number = firstQueue; ; q.Number++ {
		err = q.configure(attr(cfgCommand, []byte{cfgBind, 0, 0, 0}))
		// A queue of another process is EPERM, and so is every queue without the right to use any.
		taken := errors.Is(err, unix.EBUSY) || errors.Is(err, unix.EPERM)
		if !taken || q.Number == firstQueue+0xff {
			break
		}
	}
	if err != nil {
		return nil, kernel.Hint(fmt.Errorf("taking a queue: %w", err))
	}
	flags := uint32(flagFailOpen)
	if c.Whole {
		flags |= flagWhole
	}
	be := binary.BigEndian
	for _, a := range [][]byte{
		attr(cfgParams, append(be.AppendUint32(nil, c.Bytes), cfgCopyPacket)),
		attr(cfgLength, be.AppendUint32(nil, c.Packets)),
		append(attr(cfgMask, be.AppendUint32(nil, flagFailOpen|flagWhole)), attr(cfgFlags, be.AppendUint32(nil, flags))...),
	} {
		if err = q.configure(a); err != nil {
			return nil, kernel.Hint(fmt.Errorf("setting up queue %d: %w", q.Number, err))
		}
	}
	return q, nil
}

// attr encodes a padded attribute.
func attr(kind uint16, value []byte) []byte {
	b := binary.NativeEndian.AppendUint16(nil, uint16(4+len(value)))
	b = append(binary.NativeEndian.AppendUint16(b, kind), value...)
	return append(b, make([]byte, -len(b)&3)...)
}

// configure sends a request and waits for the answer.
func (q *Socket) configure(attrs []byte) error {
	ne := binary.NativeEndian
	q.asked++
	b := ne.AppendUint32(nil, uint32(netlinkHeader+len(attrs)))
	b = ne.AppendUint16(b, msgConfig)
	b = ne.AppendUint16(b, unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	b = ne.AppendUint32(b, q.asked)
	b = append(b, 0, 0, 0, 0, unix.AF_UNSPEC, 0)
	b = binary.BigEndian.AppendUint16(b, q.Number)
	if _, err := unix.Write(q.fd, append(b, attrs...)); err != nil {
		return err
	}
	for {
		// The kernel answers before write returns. Packets that arrive before the answer are
		// accepted.
		var err error
		answered := false
		n, e := unix.Read(q.fd, q.in)
		if e != nil {
			return e
		}
		messages(q.in[:n], func(kind uint16, seq uint32, body []byte) {
			switch {
			case kind == msgPacket:
				if p, ok := parsePacket(body); ok {
					q.answer(p.id, accept)
				}
			case kind == unix.NLMSG_ERROR && seq == q.asked && len(body) >= 4:
				answered = true
				if code := int32(ne.Uint32(body)); code != 0 {
					err = unix.Errno(-code)
				}
			}
		})
		if e := q.flush(); e != nil {
			return e
		}
		if answered {
			return err
		}
	}
}

// messages calls f for each netlink message in b.
func messages(b []byte, f func(kind uint16, seq uint32, body []byte)) {
	ne := binary.NativeEndian
	for len(b) >= 16 {
		n := int(ne.Uint32(b))
		if n < 16 || n > len(b) {
			return
		}
		f(ne.Uint16(b[4:]), ne.Uint32(b[8:]), b[16:n])
		b = b[min(len(b), (n+3)&^3):]
	}
}

// Hooks, from linux/netfilter.h: hooks below hookForward see incoming packets.
const hookForward = 2

// parsePacket parses the body of a packet message, beginning with struct nfgenmsg.
func parsePacket(b []byte) (p Packet, ok bool) {
	ne, be := binary.NativeEndian, binary.BigEndian
	if len(b) < 4 {
		return p, false
	}
	b = b[4:]
	length := 0
	for len(b) >= 4 {
		n := int(ne.Uint16(b))
		if n < 4 || n > len(b) {
			break
		}
		v := b[4:n]
		switch kind := ne.Uint16(b[2:]) & 0x3fff; {
		case kind == attrHeader && len(v) >= 7:
			p.id, p.out, ok = be.Uint32(v), v[6] >= hookForward, true
		case kind == attrPayload:
			p.head = v
		case kind == attrLength && len(v) >= 4:
			length = int(be.Uint32(v))
		}
		b = b[min(len(b), (n+3)&^3):]
	}
	p.length = max(length, len(p.head))
	return p, ok
}

// read passes the available packets to f, about most of them at the most, and does not wait.
func (q *Socket) read(most int, f func(p Packet)) error {
	for most > 0 {
		n, err := unix.Read(q.fd, q.in)
		switch {
		case errors.Is(err, unix.EAGAIN):
			return nil
		case errors.Is(err, unix.EINTR), errors.Is(err, unix.ENOBUFS):
			continue
		case err != nil:
			return fmt.Errorf("reading from queue %d: %w", q.Number, err)
		}
		messages(q.in[:n], func(kind uint16, _ uint32, body []byte) {
			if kind != msgPacket {
				return
			}
			if p, ok := parsePacket(body); ok {
				f(p)
				most--
			}
		})
	}
	return nil
}

// Verdicts: NF_DROP, NF_ACCEPT.
const (
	drop   = 0
	accept = 1
)

// batch is the number of verdicts in one system call.
const batch = 256

// answer records the verdict on a packet. The next flush sends it at the latest.
func (q *Socket) answer(id, verdict uint32) {
	const n = netlinkHeader + 12
	ne, be := binary.NativeEndian, binary.BigEndian
	b := ne.AppendUint32(q.out, n)
	b = ne.AppendUint16(b, msgVerdict)
	b = ne.AppendUint16(b, unix.NLM_F_REQUEST)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0, unix.AF_UNSPEC, 0)
	b = be.AppendUint16(b, q.Number)
	b = ne.AppendUint16(b, 12)
	b = ne.AppendUint16(b, attrVerdict)
	b = be.AppendUint32(b, verdict)
	q.out = be.AppendUint32(b, id)
}

// flush sends the verdicts in batches, in the order in which they were recorded.
func (q *Socket) flush() error {
	for b := q.out; len(b) > 0; {
		n := min(len(b), batch*(netlinkHeader+12))
		_, err := unix.Write(q.fd, b[:n])
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("answering queue %d: %w", q.Number, err)
		}
		b = b[n:]
	}
	q.out = q.out[:0]
	return nil
}

// close releases the queue. Closing the socket is not enough: a child process that has not called
// execve(2) yet holds a copy of it, and the kernel keeps the queue until the last copy is closed,
// although nothing answers.
func (q *Socket) close() {
	if q.Number != 0 {
		_ = q.configure(attr(cfgCommand, []byte{cfgUnbind, 0, 0, 0})) // on failure, closing the socket releases the queue
	}
	unix.Close(q.fd)
}

// sleep waits for a packet, for input on other, or for d; a negative d waits without limit. It
// reports whether other has input.
func (q *Socket) sleep(other int, d time.Duration) (bool, error) {
	fds := []unix.PollFd{{Fd: int32(q.fd), Events: unix.POLLIN}, {Fd: int32(other), Events: unix.POLLIN}}
	var timeout *unix.Timespec
	if d >= 0 {
		ts := unix.NsecToTimespec(int64(d))
		timeout = &ts
	}
	if _, err := unix.Ppoll(fds, timeout, nil); err != nil && !errors.Is(err, unix.EINTR) {
		return false, fmt.Errorf("waiting for queue %d: %w", q.Number, err)
	}
	return fds[1].Revents != 0, nil
}
