package sockdiag

import (
	"encoding/binary"
	"fmt"
	"net/netip"

	mnl "github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// A Flow is one end of a TCP connection, with a count of its received data.
type Flow struct {
	Local, Remote netip.AddrPort
	Inode         uint32 // of its socket; 0: no process holds it
	Segments      uint32 // received segments with data; 0 if the kernel does not say
}

// Positions in the answer of the kernel.
const (
	diagMessageLen = 72 // struct inet_diag_msg, before the attributes
	inodeAt        = 68
	infoAttribute  = 2       // INET_DIAG_INFO, struct tcp_info
	dataSegmentsIn = 152     // tcpi_data_segs_in
	wantInfo       = 1 << 1  // of INET_DIAG_INFO, in idiag_ext
	listening      = 1 << 10 // state
)

// Flows lists the TCP connections of the thread's namespace, including those that have ended but are not forgotten. It
// needs no privilege.
func Flows() ([]Flow, error) {
	c, err := mnl.Dial(unix.NETLINK_SOCK_DIAG, nil)
	if err != nil {
		return nil, fmt.Errorf("listing connections: %w", err)
	}
	defer c.Close()
	var out []Flow
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		request := diagRequest(family, unix.IPPROTO_TCP, ^uint32(listening), make([]byte, sockidLen))
		request[2] = wantInfo
		all, err := c.Execute(mnl.Message{
			Header: mnl.Header{Type: sockDiagByFamily, Flags: mnl.Request | mnl.Dump}, Data: request,
		})
		if err != nil {
			return nil, fmt.Errorf("listing connections: %w", err)
		}
		for _, m := range all {
			if len(m.Data) >= diagMessageLen {
				out = append(out, flowOf(m.Data))
			}
		}
	}
	return out, nil
}

// flowOf reads struct inet_diag_msg and its attributes.
func flowOf(b []byte) Flow {
	id := b[4 : 4+sockidLen]
	f := Flow{
		Local:  netip.AddrPortFrom(diagAddr(b[0], id[4:20]), binary.BigEndian.Uint16(id)),
		Remote: netip.AddrPortFrom(diagAddr(b[0], id[20:36]), binary.BigEndian.Uint16(id[2:])),
		Inode:  binary.NativeEndian.Uint32(b[inodeAt:]),
	}
	attributes, err := mnl.UnmarshalAttributes(b[diagMessageLen:])
	if err != nil {
		return f
	}
	for _, a := range attributes {
		if a.Type == infoAttribute && len(a.Data) >= dataSegmentsIn+4 {
			f.Segments = binary.NativeEndian.Uint32(a.Data[dataSegmentsIn:])
		}
	}
	return f
}
