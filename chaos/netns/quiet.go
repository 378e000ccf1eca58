package netns

import "net/netip"

// An End is one end of TCP connections over IPv4, by which [Namespace.EndQuiet] finds them.
type End struct {
	Addr  netip.AddrPort
	Local bool // the end in the namespace, and not the other one
}
