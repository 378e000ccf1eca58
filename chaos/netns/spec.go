package netns

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// An Action is what is done to packets.
type Action string

// The actions.
const (
	Latency   Action = "latency"
	Reorder   Action = "reorder"
	Loss      Action = "loss"
	Duplicate Action = "duplicate"
	Corrupt   Action = "corrupt"
	Bandwidth Action = "bandwidth"
	Partition Action = "partition" // nothing of what is selected gets through, see Spec.Mode
	Blackhole Action = "blackhole" // it is swallowed without a word
	Stall     Action = "stall"     // connections stay open, new ones are made, none carries data
	Reset     Action = "reset"     // live connections are ended by a reset; new ones work
	HalfOpen  Action = "half_open" // this side forgets its live connections, the other is not told; new ones work
	DNSFail   Action = "dns.fail"  // what is asked from in here is answered with an error
	DNSMute   Action = "dns.timeout"
	DNSSpoof  Action = "dns.spoof" // it is answered with Spec.Answers
)

// The modes of a partition. The zero value is drop.
const (
	ModeDrop   = "drop"   // packets are lost, and no sender is told
	ModeReject = "reject" // their senders are told that the port is closed (ICMP); connections from before starve
	ModeReset  = "reset"  // connections, new and from before, are reset; what isn't TCP is rejected
)

// A Direction is one of packets, as the namespace sees them. For what cuts (partition,
// blackhole, stall, reset, half_open) it is that of connections, by who opened them, and
// it means all of their packets, there and back: In are those that others opened.
type Direction string

// The directions. The zero value is both, for what cuts or shapes. For what happens to
// some packets, or to all of them a little (latency, reorder, loss, duplicate, corrupt), it
// is once in each round trip, at whichever side the mechanism has: nfqueue, ebpf and nft
// take what comes in, netem what goes out. For both, set two.
const (
	Both Direction = ""
	In   Direction = "in"
	Out  Direction = "out"
)

// A Spec is what is to be done to the packets of a namespace. The loopback is never
// touched, but for questions to Docker's resolver at 127.0.0.11; nor is the discovery of
// neighbours, ARP and IPv6's.
type Spec struct {
	Do        Action    `json:"do"`
	Match     Match     `json:"match"`
	Direction Direction `json:"direction,omitempty"`
	Via       string    `json:"via,omitempty"` // the mechanism: nft, nfqueue, ebpf, netem, tbf; empty is the first that works here

	Share       float64       `json:"share,omitempty"`       // of the packets (0, 1]; zero is all
	Delay       time.Duration `json:"delay,omitempty"`       // of latency and reorder
	Jitter      time.Duration `json:"jitter,omitempty"`      // Delay ± Jitter, uniform
	Correlation float64       `json:"correlation,omitempty"` // of a packet's delay with that of the one before, [0, 1)
	Rate        int64         `json:"rate,omitempty"`        // bytes per second
	Mode        string        `json:"mode,omitempty"`        // of a partition: drop, reject or reset
	Keep        bool          `json:"keep,omitempty"`        // of a partition: TCP connections that are open go on, and connected UDP sockets
	Names       []string      `json:"names,omitempty"`       // of DNS, without a closing dot; *.example.com is all below it; empty is all
	RCode       string        `json:"rcode,omitempty"`       // of dns.fail: SERVFAIL (the zero value), NXDOMAIN, REFUSED
	Answers     []netip.Addr  `json:"answers,omitempty"`     // of dns.spoof
	Seed        uint64        `json:"seed,omitempty"`        // of what is random
	Handle      uint16        `json:"handle,omitempty"`      // of a queueing discipline, to know it by; zero is one by chance
}

// A Match selects packets by the other end. The zero value is every packet.
type Match struct {
	Peers []netip.Prefix `json:"peers,omitempty"` // the addresses of the other end, as they are on the wire; of DNS, the resolver's
	Ports []uint16       `json:"ports,omitempty"` // the port that the connection was opened to, on whichever side; of DNS, zero are 53
}

// Met is what a fault has met so far.
type Met struct {
	Packets int64 `json:"packets"` // selected
	Hit     int64 `json:"hit"`     // dropped, delayed, changed or answered; a connection that was ended at once is one
	Bytes   int64 `json:"bytes"`   // of those selected
}

// Held is a Spec that is in force.
type Held interface {
	// Via names the mechanism that does it.
	Via() string
	// Met counts what met it.
	Met() (Met, error)
	// Close takes it back. Twice is harmless.
	Close() error
}

// Check tells what is wrong with s by itself.
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
	if m := s.Mode; m != "" && m != ModeDrop && m != ModeReject && m != ModeReset {
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

// ways are the directions of packets that s is about, where the mechanism can have once
// what happens once in each round trip.
func (s Spec) ways(once Direction) []Direction {
	if s.Direction != Both {
		return []Direction{s.Direction}
	}
	switch s.Do {
	case Latency, Reorder, Loss, Duplicate, Corrupt:
		return []Direction{once}
	}
	return []Direction{In, Out}
}
