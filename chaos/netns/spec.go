package netns

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// An Action is an effect on packets.
type Action string

// The actions.
const (
	Latency   Action = "latency"
	Reorder   Action = "reorder"
	Loss      Action = "loss"
	Duplicate Action = "duplicate"
	Corrupt   Action = "corrupt"
	Bandwidth Action = "bandwidth"
	Partition Action = "partition" // no selected packet passes, see Spec.Mode
	Blackhole Action = "blackhole" // selected packets are dropped silently
	Stall     Action = "stall"     // connections stay open, new ones are made, none carries data
	Reset     Action = "reset"     // live connections are reset; new ones work
	HalfOpen  Action = "half_open" // live connections are closed without telling the remote side; new ones work
	DNSFail   Action = "dns.fail"  // questions from the namespace get an error
	DNSMute   Action = "dns.timeout"
	DNSSpoof  Action = "dns.spoof" // questions get Spec.Answers
)

// The modes of a partition. Zero means drop.
const (
	modeDrop   = "drop"   // packets are dropped silently
	modeReject = "reject" // senders get an ICMP port unreachable error; existing connections time out
	modeReset  = "reset"  // new and existing connections are reset; protocols other than TCP are rejected
)

// A Direction is a direction of packets, relative to the namespace. For cuts (partition, blackhole,
// stall, reset, half_open) it selects connections by the side that opened them, with their packets
// in both directions: In selects those that others opened.
type Direction string

// The directions. For cuts and shaping, the zero value is both. For per-packet effects (latency,
// reorder, loss, duplicate, corrupt) the zero value is once in each round trip, at the side that
// the mechanism supports: nfqueue, ebpf and nft act on incoming packets, netem on outgoing ones. To
// act on both, set two Specs.
const (
	Both Direction = ""
	In   Direction = "in"
	Out  Direction = "out"
)

// A Spec is an effect on the packets of a namespace. It never affects the loopback, except
// questions to Docker's resolver at 127.0.0.11, nor neighbour discovery (ARP and IPv6's).
type Spec struct {
	Do        Action    `json:"do"`
	Match     Match     `json:"match"`
	Direction Direction `json:"direction,omitempty"`
	// the mechanism: nft, nfqueue, ebpf, netem, tbf; empty is the first that works
	Via string `json:"via,omitempty"`

	Share       float64       `json:"share,omitempty"`       // of the packets, in (0, 1]; zero is all
	Delay       time.Duration `json:"delay,omitempty"`       // of latency and reorder
	Jitter      time.Duration `json:"jitter,omitempty"`      // Delay ± Jitter, uniform
	Correlation float64       `json:"correlation,omitempty"` // of a packet's delay with that of the one before, [0, 1)
	Rate        int64         `json:"rate,omitempty"`        // bytes per second
	Mode        string        `json:"mode,omitempty"`        // of a partition: drop, reject or reset
	// for a partition: open TCP connections and connected UDP sockets continue
	Keep bool `json:"keep,omitempty"`
	// for DNS; *.example.com is all below it; empty is all. One with a final dot is complete
	Names   []string     `json:"names,omitempty"`
	RCode   string       `json:"rcode,omitempty"`   // of dns.fail: SERVFAIL (the zero value), NXDOMAIN, REFUSED
	Answers []netip.Addr `json:"answers,omitempty"` // of dns.spoof
	Seed    uint64       `json:"seed,omitempty"`    // of random choices
	Handle  uint16       `json:"handle,omitempty"`  // identifies the queueing discipline; zero is a random one
	// used by another process that applies the Spec; a Namespace of this process ignores it
	Lease Lease `json:"lease,omitzero"`
}

// A Lease says how an effect ends when the process that set it does not end it.
type Lease struct {
	Key   string        `json:"key,omitempty"`   // with which a watchdog ends it; empty: a watchdog can't
	Until time.Duration `json:"until,omitempty"` // from now, when the process that holds it ends it; zero: never
}

// A Match selects packets by the remote end. The zero value selects every packet.
type Match struct {
	Peers []netip.Prefix `json:"peers,omitempty"` // addresses of the remote end, as on the wire; for DNS, of the resolver
	// the port that the connection was opened to, on either side; for DNS, none is 53
	Ports []uint16 `json:"ports,omitempty"`
}

// Affected counts the packets that a fault has affected so far.
type Affected struct {
	Packets int64 `json:"packets"` // selected
	// dropped, delayed, changed or answered; a connection that was ended at once counts as one
	Hit   int64 `json:"hit"`
	Bytes int64 `json:"bytes"` // of the selected packets
}

// Held is a Spec that is active.
type Held interface {
	// Via returns the name of the mechanism.
	Via() string
	// Affected returns the counts of affected packets. With a [RemovedError] the effect is no more.
	Affected() (Affected, error)
	// Close removes the effect. Calling it again has no effect.
	Close() error
}

// A RemovedError says that another program removed the effect of a Spec.
type RemovedError struct{ What string } // what it removed, such as: the tbf of eth0

func (e RemovedError) Error() string { return "another program removed " + e.What }

// Check returns all mistakes in s that can be found without a namespace.
func (s Spec) Check() error {
	var bad []error
	no := func(format string, args ...any) { bad = append(bad, fmt.Errorf(format, args...)) }
	if !known(s.Do) {
		no("there is no action %q", s.Do)
	}
	if d := s.Direction; d != Both && d != In && d != Out {
		no("a direction is in or out, or nothing for both, not %q", d)
	}
	if s.Share < 0 || s.Share > 1 {
		no("a share is more than 0 and at most 1, not %v", s.Share)
	}
	if s.Delay < 0 || s.Jitter < 0 || s.Rate < 0 {
		no("a delay, a jitter and a rate are not negative")
	}
	if s.Do == Latency && s.Delay == 0 && s.Jitter == 0 {
		no("%s needs a delay", Latency)
	}
	if s.Do == Bandwidth && s.Rate == 0 {
		no("%s needs a rate", Bandwidth)
	}
	if s.Correlation < 0 || s.Correlation >= 1 {
		no("a correlation is 0 or more and less than 1, not %v", s.Correlation)
	}
	if m := s.Mode; m != "" && m != modeDrop && m != modeReject && m != modeReset {
		no("a mode is drop, reject or reset, not %q", m)
	}
	if s.Mode != "" && s.Do != Partition {
		no("a mode is of a %s", Partition)
	}
	if r := s.RCode; r != "" && r != "SERVFAIL" && r != "NXDOMAIN" && r != "REFUSED" {
		no("an rcode is SERVFAIL, NXDOMAIN or REFUSED, not %q", r)
	}
	if s.Keep && s.Do != Partition {
		no("connections are kept by a %s alone", Partition)
	}
	if s.Do == DNSSpoof && len(s.Answers) == 0 {
		no("%s needs an address to answer with", DNSSpoof)
	}
	for _, p := range s.Match.Peers {
		if !p.IsValid() || p.Addr().Is4In6() {
			no("a peer is an address or a network, one of IPv4 written as such, not %q", p)
		}
	}
	if slices.Contains(s.Match.Ports, 0) {
		no("a port is 1 to 65535")
	}
	return errors.Join(bad...)
}

// directions returns the directions of packets that s affects. The direction once applies to effects that
// happen once in each round trip.
func (s Spec) directions(once Direction) []Direction {
	if s.Direction != Both {
		return []Direction{s.Direction}
	}
	switch s.Do {
	case Latency, Reorder, Loss, Duplicate, Corrupt:
		return []Direction{once}
	}
	return []Direction{In, Out}
}
