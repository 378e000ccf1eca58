package netns

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	mnl "github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// A socket is one end of a connection, as the kernel knows it.
type socket struct {
	proto         byte // unix.IPPROTO_TCP or unix.IPPROTO_UDP
	local, remote netip.AddrPort
	accepted      bool   // the other end opened it
	family        byte   // of the socket, which for IPv4 may be unix.AF_INET6
	id            []byte // struct inet_diag_sockid, with the cookie by which no other can be meant
}

// opened is the port that the connection was opened to.
func (s socket) opened() uint16 {
	if s.accepted {
		return s.local.Port()
	}
	return s.remote.Port()
}

// TCP's states, as inet_diag numbers them.
const (
	tcpTimeWait = 6
	tcpClose    = 7
	tcpListen   = 10
)

// connections lists the connections of TCP that the thread's namespace has, and the
// sockets of UDP that have a fixed other end.
//
// Which end opened a connection the kernel doesn't keep. It was the other one if
// somebody listens here on the port.
func connections() ([]socket, error) {
	var all []socket
	listens := map[uint16]bool{}
	for _, proto := range []byte{unix.IPPROTO_TCP, unix.IPPROTO_UDP} {
		for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
			err := dump(family, proto, func(state byte, s socket) {
				switch {
				case proto == unix.IPPROTO_TCP && state == tcpListen:
					listens[s.local.Port()] = true
				case state == tcpTimeWait || state == tcpClose:
				default:
					all = append(all, s)
				}
			})
			// Without a module for UDP there is no list of it.
			if err != nil && (proto == unix.IPPROTO_TCP || !errors.Is(err, unix.ENOENT)) {
				return nil, fmt.Errorf("listing the connections of the namespace: %w", err)
			}
		}
	}
	for i, s := range all {
		all[i].accepted = s.proto == unix.IPPROTO_TCP && listens[s.local.Port()]
	}
	return all, nil
}

// Messages of sock_diag.
const (
	sockDiagByFamily = 20
	sockDestroy      = 21
	sockidLen        = 48 // struct inet_diag_sockid
)

// diagRequest is struct inet_diag_req_v2.
func diagRequest(family, proto byte, states uint32, id []byte) []byte {
	b := []byte{family, proto, 0, 0}
	b = binary.NativeEndian.AppendUint32(b, states)
	return append(b, id...)
}

// dump asks for the sockets of a family and a protocol.
func dump(family, proto byte, each func(state byte, s socket)) error {
	c, err := mnl.Dial(unix.NETLINK_SOCK_DIAG, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	all, err := c.Execute(mnl.Message{
		Header: mnl.Header{Type: sockDiagByFamily, Flags: mnl.Request | mnl.Dump},
		Data:   diagRequest(family, proto, ^uint32(0), make([]byte, sockidLen)),
	})
	if err != nil {
		return err
	}
	for _, m := range all {
		// struct inet_diag_msg: family, state, timer, retrans, then the id.
		if len(m.Data) < 4+sockidLen {
			continue
		}
		id := m.Data[4 : 4+sockidLen]
		s := socket{proto: proto, family: m.Data[0], id: id}
		s.local = netip.AddrPortFrom(diagAddr(s.family, id[4:20]), binary.BigEndian.Uint16(id))
		s.remote = netip.AddrPortFrom(diagAddr(s.family, id[20:36]), binary.BigEndian.Uint16(id[2:]))
		each(m.Data[1], s)
	}
	return nil
}

// diagAddr reads an address. That of IPv4 may be in a socket of IPv6: Go's are so.
func diagAddr(family byte, b []byte) netip.Addr {
	if family == unix.AF_INET {
		return netip.AddrFrom4([4]byte(b[:4]))
	}
	return netip.AddrFrom16([16]byte(b)).Unmap()
}

// destroy ends connections as if their program had aborted them: the other end gets a
// reset, this one an error (ECONNABORTED). It gives how many there were; one that is gone
// by itself is none. The thread is in the namespace.
func destroy(all []socket) (n int, err error) {
	c, err := mnl.Dial(unix.NETLINK_SOCK_DIAG, nil)
	if err != nil {
		return 0, fmt.Errorf("ending connections: %w", err)
	}
	defer c.Close()
	for _, s := range all {
		_, err := c.Execute(mnl.Message{
			Header: mnl.Header{Type: sockDestroy, Flags: mnl.Request | mnl.Acknowledge},
			Data:   diagRequest(s.family, s.proto, ^uint32(0), s.id),
		})
		switch {
		case err == nil:
			n++
		case errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESTALE):
		default:
			return n, hint(fmt.Errorf("ending the connection %s to %s (it takes CONFIG_INET_DIAG_DESTROY): %w", s.local, s.remote, err))
		}
	}
	return n, nil
}
