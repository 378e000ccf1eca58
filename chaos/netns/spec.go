package netns

import (
	"net/netip"
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
	Partition Action = "partition" // drop, reject or reset what Match selects
	Blackhole Action = "blackhole" // drop everything selected, in both directions
	Stall     Action = "stall"     // connections stay open and carry nothing
	Reset     Action = "reset"     // end live connections and refuse new ones, by RST
	HalfOpen  Action = "half_open" // this side has forgotten the connection, the other has not
	DNSFail   Action = "dns.fail"
	DNSMute   Action = "dns.timeout"
	DNSSpoof  Action = "dns.spoof"
)

// A Direction is one of packets, as the namespace sees them; for a partition it is that
// of connections, by who opens them.
type Direction string

// The directions. The zero value is both.
const (
	Both Direction = ""
	In   Direction = "in"
	Out  Direction = "out"
)

// A Spec is what is to be done to the packets of a namespace. Loopback is never touched.
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
	Mode        string        `json:"mode,omitempty"`        // of a partition: drop (the zero value), reject, reset
	Keep        bool          `json:"keep,omitempty"`        // connections that are open stay so
	Names       []string      `json:"names,omitempty"`       // of DNS, without a closing dot; *.example.com is all below it; empty is all
	RCode       string        `json:"rcode,omitempty"`       // of dns.fail: SERVFAIL (the zero value), NXDOMAIN, REFUSED
	Answers     []netip.Addr  `json:"answers,omitempty"`     // of dns.spoof
	Seed        uint64        `json:"seed,omitempty"`        // of what is random
}

// A Match selects packets by the other end. The zero value is every packet.
type Match struct {
	Peers []netip.Prefix `json:"peers,omitempty"` // the addresses of the other end
	Ports []uint16       `json:"ports,omitempty"` // the port that the connection was opened to, on whichever side
}

// Met is what a fault has met so far.
type Met struct {
	Packets int64 `json:"packets"` // selected
	Hit     int64 `json:"hit"`     // dropped, delayed, changed or answered
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
