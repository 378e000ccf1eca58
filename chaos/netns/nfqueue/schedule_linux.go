package nfqueue

import (
	"encoding/binary"
	"hash/maphash"
	"time"

	"brunt/chaos/seed"
)

// A Schedule decides when a packet leaves: at once if due is not later than now, never if the
// packet is lost.
type Schedule interface {
	admit(now time.Duration, p Packet) (due time.Duration, lost bool)
}

// A Packet waits for its verdict.
type Packet struct {
	id     uint32
	out    bool   // the packet is outgoing
	length int    // of the whole packet, in bytes, from its IP header on
	head   []byte // its first bytes, up to the configured number; valid until the next read
}

// A Delay configures the delay of packets.
type Delay struct {
	Delay       time.Duration
	Jitter      time.Duration // largest deviation from Delay, in both directions
	Correlation float64       // of successive delays, from 0 to 1
	Share       float64       // of the packets that are delayed, from 0 to 1; 0 is all
	Seed        uint64
	Reorder     bool // packets may overtake others of the same connection
}

// NewDelay returns a schedule that delays packets.
func NewDelay(d Delay) Schedule {
	return &delaying{
		Delay: d,
		swing: seed.NewSwing(seed.Source(d.Seed), d.Correlation, false),
		flows: make(map[uint64]time.Duration),
		hash:  maphash.MakeSeed(),
	}
}

// NewShaper returns a schedule that limits the bandwidth to rate bytes per second.
func NewShaper(rate int64) Schedule { return &shaping{rate: rate} }

// delaying delays packets, or the share of them that the seed selects.
//
// It keeps the order of packets in a TCP connection, as nearly every real path does: reordering by
// jitter would look like loss to the sender. Datagrams do not wait for each other, and with Reorder
// no packet does.
type delaying struct {
	Delay
	swing *seed.Swing
	n     uint64
	flows map[uint64]time.Duration // when the last packet of each flow leaves; expired flows may be missing
	hash  maphash.Seed
}

func (d *delaying) admit(now time.Duration, p Packet) (time.Duration, bool) {
	due := now
	if d.Share == 0 || seed.Chosen(d.Share, d.Seed, d.n) {
		due += d.Delay.Delay
		if d.Jitter > 0 {
			due += time.Duration(float64(d.Jitter) * d.swing.Next())
		}
	}
	d.n++
	if d.Reorder || d.Jitter == 0 && d.Share == 0 {
		return due, false
	}
	key, ok := d.flow(p.head)
	if !ok {
		return due, false
	}
	due = max(due, d.flows[key])
	if due <= now {
		delete(d.flows, key)
		return due, false
	}
	if len(d.flows) >= mostFlows {
		for k, t := range d.flows {
			if t <= now {
				delete(d.flows, k)
			}
		}
	}
	d.flows[key] = due
	return due, false
}

// mostFlows is the number of flows that are kept before expired ones are removed.
const mostFlows = 1 << 14

// HeadBytes is the number of bytes of a packet that identify its flow.
const HeadBytes = 64

const protoTCP = 6

// flow returns a hash of the packet's TCP connection.
func (d *delaying) flow(head []byte) (uint64, bool) {
	var ends []byte
	at := 0
	switch {
	case len(head) >= 20 && head[0]>>4 == 4:
		if head[9] != protoTCP || binary.BigEndian.Uint16(head[6:])&0x1fff != 0 {
			return 0, false
		}
		ends, at = head[12:20], int(head[0]&0xf)*4
	case len(head) >= 40 && head[0]>>4 == 6:
		if head[6] != protoTCP {
			return 0, false
		}
		ends, at = head[8:40], 40
	default:
		return 0, false
	}
	if at+4 > len(head) {
		return 0, false
	}
	var h maphash.Hash
	h.SetSeed(d.hash)
	h.Write(ends)
	h.Write(head[at : at+4])
	return h.Sum64(), true
}

// shaping limits bytes per second in each direction, like a wire behind a router: it drops packets
// that exceed the router's buffer.
type shaping struct {
	rate int64
	free [2]time.Duration // when the wire becomes free, by direction
}

// catchUp is the longest idle time for which the wire may send late packets at once. It compensates
// only for a thread that wakes late.
const catchUp = 20 * time.Millisecond

// The router's buffer holds RouterTime of traffic, but at least RouterBytes.
const (
	RouterTime  = 200 * time.Millisecond
	RouterBytes = 32 << 10
)

func (s *shaping) admit(now time.Duration, p Packet) (time.Duration, bool) {
	free := &s.free[0]
	if p.out {
		free = &s.free[1]
	}
	takes := func(bytes int64) time.Duration {
		return time.Duration(float64(bytes) / float64(s.rate) * float64(time.Second))
	}
	from := max(*free, now-catchUp)
	if from-now > max(RouterTime, takes(RouterBytes)) {
		return 0, true
	}
	*free = from + takes(int64(p.length))
	return *free, false
}
