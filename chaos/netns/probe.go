package netns

import (
	"context"
	"net/netip"
	"time"
)

// A Probe is a measurement with brunt's own traffic from inside a namespace. It shows what programs
// in the namespace experience.
type Probe struct {
	Kind ProbeKind      `json:"how"`
	To   netip.AddrPort `json:"to"`             // pings ignore the port; zero for a query: the namespace's resolver
	N    int            `json:"n,omitempty"`    // pings, connections or queries; zero is 1
	Wait time.Duration  `json:"wait,omitempty"` // for each answer; zero is 250 ms
	Size int            `json:"size,omitempty"` // bytes of a ping beyond its header; zero is the minimum
	Name string         `json:"name,omitempty"` // the name that a query resolves
	// Known says that the first ping must be answered before the others are sent, so that connection tracking knows
	// their flow. From an unknown flow, connection tracking drops all but one of the packets that a mechanism holds.
	// The result's Bytes and Span begin after the first ping.
	Known bool `json:"known,omitempty"`
}

// A ProbeKind is the method of a Probe.
type ProbeKind string

// The methods.
const (
	// Ping sends echo requests. No rate limit of the other side's kernel applies to them.
	Ping ProbeKind = "ping"
	// Connect opens TCP connections and closes them. A port without a listener answers too: it
	// refuses.
	Connect ProbeKind = "connect"
	// Query asks a resolver for the addresses of a name.
	Query ProbeKind = "query"
)

const (
	probeWait  = 250 * time.Millisecond
	mostProbes = 20_000
)

// ProbeResult is the result of a Probe.
type ProbeResult struct {
	Sent        int             `json:"sent"`
	Came        int             `json:"came"`                  // echoed, connected or answered
	Refused     int             `json:"refused,omitempty"`     // by RST
	Unreachable int             `json:"unreachable,omitempty"` // ICMP unreachable, or not sent
	Twice       int             `json:"twice,omitempty"`       // copies of an answer beyond the first
	Late        int             `json:"late,omitempty"`        // answers that arrived after the answer to a later one
	Damaged     int             `json:"damaged,omitempty"`     // answers with other bytes than those sent
	Bytes       int64           `json:"bytes,omitempty"`       // of all that was received, headers included
	Times       []time.Duration `json:"times,omitempty"`       // to each answer or refusal, sorted
	Span        time.Duration   `json:"span,omitempty"`        // from the first answer to the last
	// of a query: NOERROR, NXDOMAIN, SERVFAIL, REFUSED or a number
	RCode string       `json:"rcode,omitempty"`
	Addrs []netip.Addr `json:"addrs,omitempty"` // addresses that were found
}

// Answered returns the number of requests with an answer, refusals included.
func (s ProbeResult) Answered() int { return s.Came + s.Refused }

// Silent returns the number of requests without an answer.
func (s ProbeResult) Silent() int { return s.Sent - s.Came - s.Refused - s.Unreachable }

// An Outcome is the state of a connection that was opened earlier.
type Outcome string

// The outcomes.
const (
	Carried Outcome = "carried" // data sent on it has arrived
	Stuck   Outcome = "silent"  // data sent on it has not arrived, and no error was reported
	Ended   Outcome = "reset"   // it was ended
)

// A Line is a connection that is held open from inside a namespace, to check its state later.
type Line interface {
	// Outcome sends an empty line and waits, at most until ctx ends, for the acknowledgement of the
	// other side's kernel.
	Outcome(ctx context.Context) (Outcome, error)
	// Close closes it.
	Close() error
}

func (l Probe) normal() Probe {
	l.N = min(max(l.N, 1), mostProbes)
	if l.Wait <= 0 {
		l.Wait = probeWait
	}
	return l
}
