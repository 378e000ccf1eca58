package netns

import (
	"context"
	"net/netip"
	"time"
)

// A Look is traffic of brunt's own, made from inside a namespace to see what its
// inmates see.
type Look struct {
	How  How            `json:"how"`
	To   netip.AddrPort `json:"to"`             // the port is not used by pings; of a query, the zero value is the namespace's own resolver
	N    int            `json:"n,omitempty"`    // pings, connections or queries; zero is 1
	Wait time.Duration  `json:"wait,omitempty"` // for each answer; zero is 250ms
	Size int            `json:"size,omitempty"` // bytes of a ping beyond its header; zero is the least
	Name string         `json:"name,omitempty"` // that a query asks the address of
}

// How a look is made.
type How string

// The ways to look.
const (
	// Ping sends echo requests. No rate or reply of the other side's kernel bounds them.
	Ping How = "ping"
	// Connect opens TCP connections and closes them. A port where nobody listens answers
	// as well: it refuses.
	Connect How = "connect"
	// Query asks a resolver for the addresses of a name.
	Query How = "query"
)

const (
	lookWait  = 250 * time.Millisecond
	mostLooks = 20_000
)

// Seen is what came of a Look.
type Seen struct {
	Sent        int             `json:"sent"`
	Came        int             `json:"came"`                  // echoed, or connected, or answered
	Refused     int             `json:"refused,omitempty"`     // by RST
	Unreachable int             `json:"unreachable,omitempty"` // told so by ICMP, or not even sent
	Twice       int             `json:"twice,omitempty"`       // copies of an answer beyond the first
	Late        int             `json:"late,omitempty"`        // that came after one that was sent later
	Damaged     int             `json:"damaged,omitempty"`     // with other bytes than were sent
	Bytes       int64           `json:"bytes,omitempty"`       // of all that came back, headers included
	Times       []time.Duration `json:"times,omitempty"`       // to each answer or refusal, sorted
	Span        time.Duration   `json:"span,omitempty"`        // from the first answer to the last
	RCode       string          `json:"rcode,omitempty"`       // of a query: NOERROR, NXDOMAIN, SERVFAIL, REFUSED or a number
	Addrs       []netip.Addr    `json:"addrs,omitempty"`       // that it found
}

// Answered is how many had an answer, be it that they were refused.
func (s Seen) Answered() int { return s.Came + s.Refused }

// Silent is how many had none.
func (s Seen) Silent() int { return s.Sent - s.Came - s.Refused - s.Unreachable }

// A Fate is what became of a connection that was open before.
type Fate string

// The fates.
const (
	Carried Fate = "carried" // what was sent on it has arrived
	Stuck   Fate = "silent"  // what was sent on it has not, and nobody says so
	Ended   Fate = "reset"   // it is no more
)

// A Line is a connection that is held open from inside a namespace, to see later what
// becomes of it.
type Line interface {
	// Fate sends an empty line on it and waits for the other side's kernel to say that it
	// came, no longer than ctx allows.
	Fate(ctx context.Context) (Fate, error)
	// Close closes it.
	Close() error
}

func (l Look) normal() Look {
	l.N = min(max(l.N, 1), mostLooks)
	if l.Wait <= 0 {
		l.Wait = lookWait
	}
	return l
}
