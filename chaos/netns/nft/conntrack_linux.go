package nft

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"sync"

	mnl "github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// A Conntrack asks the kernel for the destination of packets before they were redirected. It uses a
// plain socket: the libraries take the answer for the first of several and wait for the rest.
type Conntrack struct {
	mu   sync.Mutex // guards fd, one request at a time; -1 when closed
	fd   int
	zone uint16
}

// NewConntrack opens connection tracking for the thread's namespace and one zone.
func NewConntrack(zone uint16) (*Conntrack, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_NETFILTER)
	if err != nil {
		return nil, fmt.Errorf("opening connection tracking: %w", err)
	}
	return &Conntrack{fd: fd, zone: zone}, nil
}

// Messages and attributes of ctnetlink.
const (
	ctGet         = 1 // IPCTNL_MSG_CT_GET
	ctTupleOrig   = 1
	ctTupleReply  = 2
	ctZone        = 18
	ctTupleIP     = 1
	ctTupleProto  = 2
	ctIP4Src      = 1
	ctIP4Dst      = 2
	ctIP6Src      = 3
	ctIP6Dst      = 4
	ctProtoNum    = 1
	ctProtoSource = 2
	ctProtoDest   = 3
)

// Destination returns the original destination of the flow that comes from client and arrived at
// at.
func (o *Conntrack) Destination(proto byte, client, at netip.AddrPort) (netip.AddrPort, error) {
	client = netip.AddrPortFrom(client.Addr().Unmap(), client.Port()) // dual-stack sockets map it
	src, dst, fam := uint16(ctIP4Src), uint16(ctIP4Dst), byte(unix.AF_INET)
	if at.Addr().Is6() {
		src, dst, fam = ctIP6Src, ctIP6Dst, unix.AF_INET6
	}
	e := mnl.NewAttributeEncoder()
	e.ByteOrder = binary.BigEndian
	// Replies go from at to the client.
	e.Nested(ctTupleReply, func(e *mnl.AttributeEncoder) error {
		e.Nested(ctTupleIP, func(e *mnl.AttributeEncoder) error {
			e.Bytes(src, at.Addr().AsSlice())
			e.Bytes(dst, client.Addr().AsSlice())
			return nil
		})
		e.Nested(ctTupleProto, func(e *mnl.AttributeEncoder) error {
			e.Uint8(ctProtoNum, proto)
			e.Uint16(ctProtoSource, at.Port())
			e.Uint16(ctProtoDest, client.Port())
			return nil
		})
		return nil
	})
	e.Uint16(ctZone, o.zone)
	attrs, err := e.Encode()
	if err != nil {
		return netip.AddrPort{}, err
	}
	m := mnl.Message{
		Header: mnl.Header{Type: unix.NFNL_SUBSYS_CTNETLINK<<8 | ctGet, Flags: mnl.Request},
		Data:   append([]byte{fam, 0, 0, 0}, attrs...),
	}
	m.Header.Length = uint32(unix.NLMSG_HDRLEN + len(m.Data))
	answer, err := o.ask(m)
	if err == nil && len(answer.Data) < 4 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("asking where %s was sending to: %w", client, err)
	}
	to, ok := destination(answer.Data[4:], dst)
	if !ok {
		return netip.AddrPort{}, fmt.Errorf("asking where %s was sending to: the kernel does not say", client)
	}
	return to, nil
}

// ask sends a request and returns the answer, which is available once the request is sent.
func (o *Conntrack) ask(m mnl.Message) (answer mnl.Message, err error) {
	b, err := m.MarshalBinary()
	if err != nil {
		return answer, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := unix.Sendto(o.fd, b, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return answer, err
	}
	b = make([]byte, 8<<10)
	n, _, err := unix.Recvfrom(o.fd, b, unix.MSG_DONTWAIT)
	if err != nil {
		return answer, err
	}
	if n < unix.NLMSG_HDRLEN {
		return answer, io.ErrUnexpectedEOF
	}
	n = min(n, int(binary.NativeEndian.Uint32(b)))
	if err := answer.UnmarshalBinary(b[:n]); err != nil {
		return answer, err
	}
	if answer.Header.Type == mnl.Error && len(answer.Data) >= 4 {
		return answer, unix.Errno(-int32(binary.NativeEndian.Uint32(answer.Data)))
	}
	return answer, nil
}

// destination reads the original destination of a flow. dst is the type of the attribute that holds
// the address.
func destination(attrs []byte, dst uint16) (to netip.AddrPort, ok bool) {
	d, err := mnl.NewAttributeDecoder(attrs)
	if err != nil {
		return to, false
	}
	var a netip.Addr
	var p uint16
	for d.Next() {
		if d.Type() != ctTupleOrig {
			continue
		}
		d.Nested(func(d *mnl.AttributeDecoder) error {
			d.ByteOrder = binary.BigEndian
			for d.Next() {
				kind := d.Type()
				d.Nested(func(d *mnl.AttributeDecoder) error {
					d.ByteOrder = binary.BigEndian
					for d.Next() {
						switch {
						case kind == ctTupleIP && d.Type() == dst:
							a, _ = netip.AddrFromSlice(d.Bytes())
						case kind == ctTupleProto && d.Type() == ctProtoDest:
							p = d.Uint16()
						}
					}
					return nil
				})
			}
			return nil
		})
	}
	return netip.AddrPortFrom(a, p), a.IsValid() && p != 0
}

// Close ends it.
func (o *Conntrack) Close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	unix.Close(o.fd)
	o.fd = -1
}
