package netns

import (
	"net/netip"
	"time"
)

// Quiet says when [Namespace.EndQuiet] ends a connection.
type Quiet struct {
	Within time.Duration // time after which it gives up; longer on a busy machine
	// Idle is the least time for which a connection must have been idle. Zero is right if each request is answered
	// before the next one. With several requests under way at once, a pause after an answer does not show that the
	// others are done. The time is extended for a while after this process itself ran late.
	Idle time.Duration
}

// An End is one end of IPv4 TCP connections, by which [Namespace.EndQuiet] finds them.
type End struct {
	Addr  netip.AddrPort
	Local bool // the end is in the namespace
}
