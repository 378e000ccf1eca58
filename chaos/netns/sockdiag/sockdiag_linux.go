package sockdiag

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"

	"brunt/chaos/netns/kernel"

	mnl "github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// A Socket is one end of a connection, as the kernel reports it.
type Socket struct {
	Proto         byte // unix.IPPROTO_TCP or unix.IPPROTO_UDP
	Local, Remote netip.AddrPort
	Accepted      bool   // the remote end opened it
	family        byte   // of the socket; unix.AF_INET6 is possible for IPv4
	id            []byte // struct inet_diag_sockid, with a cookie that makes it unique
}

// Opened returns the port that the connection was opened to.
func (s Socket) Opened() uint16 {
	if s.Accepted {
		return s.Local.Port()
	}
	return s.Remote.Port()
}

// TCP states, as inet_diag numbers them.
const (
	tcpTimeWait = 6
	tcpClose    = 7
	tcpListen   = 10
)

// Connections lists the TCP connections and connected UDP sockets of the thread's namespace.
//
// The kernel does not record which end opened a connection. Connections assumes the remote end if a
// local socket listens on the port.
func Connections() ([]Socket, error) {
	var all []Socket
	listens := map[uint16]bool{}
	for _, proto := range []byte{unix.IPPROTO_TCP, unix.IPPROTO_UDP} {
		for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
			err := dump(family, proto, func(state byte, s Socket) {
				switch {
				case proto == unix.IPPROTO_TCP && state == tcpListen:
					listens[s.Local.Port()] = true
				case state == tcpTimeWait || state == tcpClose:
				default:
					all = append(all, s)
				}
			})
			// Without a module for UDP the kernel has no list of UDP sockets.
			if err != nil && (proto == unix.IPPROTO_TCP || !errors.Is(err, unix.ENOENT)) {
				return nil, fmt.Errorf("listing the connections of the namespace: %w", err)
			}
		}
	}
	for i, s := range all {
		all[i].Accepted = s.Proto == unix.IPPROTO_TCP && listens[s.Local.Port()]
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

// dump lists the sockets of a family and a protocol.
func dump(family, proto byte, each func(state byte, s Socket)) error {
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
		s := Socket{Proto: proto, family: m.Data[0], id: id}
		s.Local = netip.AddrPortFrom(diagAddr(s.family, id[4:20]), binary.BigEndian.Uint16(id))
		s.Remote = netip.AddrPortFrom(diagAddr(s.family, id[20:36]), binary.BigEndian.Uint16(id[2:]))
		each(m.Data[1], s)
	}
	return nil
}

// diagAddr reads an address. An IPv6 socket may hold an IPv4 address, as Go's sockets do.
func diagAddr(family byte, b []byte) netip.Addr {
	if family == unix.AF_INET {
		return netip.AddrFrom4([4]byte(b[:4]))
	}
	return netip.AddrFrom16([16]byte(b)).Unmap()
}

// Destroy ends connections as if their program had aborted them: the remote end gets a reset, the
// local end an error (ECONNABORTED). It returns the number of destroyed sockets; sockets that were
// already gone don't count. The thread is in the namespace.
func Destroy(all []Socket) (n int, err error) {
	c, err := mnl.Dial(unix.NETLINK_SOCK_DIAG, nil)
	if err != nil {
		return 0, fmt.Errorf("ending connections: %w", err)
	}
	defer c.Close()
	for _, s := range all {
		_, err := c.Execute(mnl.Message{
			Header: mnl.Header{Type: sockDestroy, Flags: mnl.Request | mnl.Acknowledge},
			Data:   diagRequest(s.family, s.Proto, ^uint32(0), s.id),
		})
		switch {
		case err == nil:
			n++
		case errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESTALE):
		default:
			return n, kernel.Hint(fmt.Errorf("ending the connection %s to %s (it takes CONFIG_INET_DIAG_DESTROY): %w", s.Local,
				s.Remote, err))
		}
	}
	return n, nil
}

// Key returns the key of the socket in a set: protocol, local end, remote end, each field padded to
// four bytes.
func (s Socket) Key() []byte {
	k := []byte{s.Proto, 0, 0, 0}
	for _, end := range []netip.AddrPort{s.Local, s.Remote} {
		k = append(k, end.Addr().AsSlice()...)
		k = append(binary.BigEndian.AppendUint16(k, end.Port()), 0, 0)
	}
	return k
}
