package netns

import (
	"net/netip"
	"time"
)

// Quiet says when [Namespace.EndQuiet] ends a connection.
type Quiet struct {
	Within time.Duration // from now on: then it gives up
	// Idle is for how long a connection is idle at least, also at the end of that time. Zero is right where an answer
	// follows each request before the next. Where several requests are under way at once, the gap after an answer says
	// nothing of the others. The time is longer for a while after this process itself ran late.
	Idle time.Duration
}

// An End is one end of TCP connections over IPv4, by which [Namespace.EndQuiet] finds them.
type End struct {
	Addr  netip.AddrPort
	Local bool // the end in the namespace, and not the other one
}
