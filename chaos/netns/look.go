package netns

import (
	"context"
	"net/netip"
	"time"
)

// A Look is a measurement with brunt's own traffic from inside a namespace. It shows what programs
// in the namespace experience.
type Look struct {
	How  How            `json:"how"`
	To   netip.AddrPort `json:"to"`             // pings ignore the port; the zero value of a query is the own resolver
	N    int            `json:"n,omitempty"`    // pings, connections or queries; zero is 1
	Wait time.Duration  `json:"wait,omitempty"` // for each answer; zero is 250 ms
	Size int            `json:"size,omitempty"` // bytes of a ping beyond its header; zero is the least
	Name string         `json:"name,omitempty"` // the name that a query resolves
}

// How is the method of a Look.
type How string

// The methods.
const (
	// Ping sends echo requests. No rate limit of the other side's kernel applies to them.
	Ping How = "ping"
	// Connect opens TCP connections and closes them. A port without a listener answers too: it
	// refuses.
	Connect How = "connect"
	// Query asks a resolver for the addresses of a name.
	Query How = "query"
)

const (
	lookWait  = 250 * time.Millisecond
	mostLooks = 20_000
)

// Seen is the result of a Look.
type Seen struct {
	Sent        int             `json:"sent"`
	Came        int             `json:"came"`                  // echoed, connected or answered
	Refused     int             `json:"refused,omitempty"`     // by RST
	Unreachable int             `json:"unreachable,omitempty"` // ICMP unreachable, or not sent
	Twice       int             `json:"twice,omitempty"`       // copies of an answer beyond the first
	Late        int             `json:"late,omitempty"`        // arrived after one that was sent later
	Damaged     int             `json:"damaged,omitempty"`     // with other bytes than those sent
	Bytes       int64           `json:"bytes,omitempty"`       // of all that was received, headers included
	Times       []time.Duration `json:"times,omitempty"`       // to each answer or refusal, sorted
	Span        time.Duration   `json:"span,omitempty"`        // from the first answer to the last
	RCode       string          `json:"rcode,omitempty"`       // of a query: NOERROR, NXDOMAIN, SERVFAIL, REFUSED or a number
	Addrs       []netip.Addr    `json:"addrs,omitempty"`       // the addresses found
}

// Answered returns the number of requests with an answer, refusals included.
func (s Seen) Answered() int { return s.Came + s.Refused }

// Silent returns the number of requests without an answer.
func (s Seen) Silent() int { return s.Sent - s.Came - s.Refused - s.Unreachable }

// A Fate is the state of a connection that was opened earlier.
type Fate string

// The values of Fate.
const (
	Carried Fate = "carried" // data sent on it has arrived
	Stuck   Fate = "silent"  // data sent on it has not arrived, and no error was reported
	Ended   Fate = "reset"   // it was ended
)

// A Line is a connection that is held open from inside a namespace, to check its state later.
type Line interface {
	// Fate sends an empty line and waits, at most until ctx ends, for the acknowledgement of the
	// other side's kernel.
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
