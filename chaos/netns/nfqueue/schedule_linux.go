package nfqueue

import (
	"encoding/binary"
	"hash/maphash"
	"time"

	"brunt/chaos/seed"
)

// A Schedule decides when a packet may leave: at once if the result is not later than now, never if it
// is lost.
type Schedule interface {
	admit(now time.Duration, p Packet) (due time.Duration, lost bool)
}

// A Packet waits for its verdict.
type Packet struct {
	id     uint32
	out    bool   // it is on its way out
	length int    // in bytes, of the whole, from its IP header on
	head   []byte // the first of them, up to as many as were asked for; valid until the next is read
}

// A Delay says how packets are delayed.
type Delay struct {
	Delay       time.Duration
	Jitter      time.Duration // at most this much more or less
	Correlation float64       // of successive delays, from 0 to 1
	Share       float64       // of the packets, from 0 to 1; 0 is all
	Seed        uint64
	Reorder     bool // packets may overtake others of their connection
}

// NewDelay returns the schedule of a delay.
func NewDelay(d Delay) Schedule {
	return &delaying{
		Delay: d,
		swing: seed.NewSwing(seed.Source(d.Seed), d.Correlation, false),
		flows: make(map[uint64]time.Duration),
		hash:  maphash.MakeSeed(),
	}
}

// NewShaper returns the schedule of a bandwidth in bytes per second.
func NewShaper(rate int64) Schedule { return &shaping{rate: rate} }

// delaying holds packets back by the delay, or the share of them that the seed chooses.
//
// The packets of a connection of TCP leave in the order that they came, as they do on
// nearly every real path: without that, the jitter would look like loss to the sender.
// Datagrams do not wait for each other. For a reorder, nothing does.
type delaying struct {
	Delay
	swing *seed.Swing
	n     uint64
	flows map[uint64]time.Duration // when the last packet of each leaves; those that have left may be missing
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

// mostFlows is how many are remembered before those that are over are forgotten.
const mostFlows = 1 << 14

// HeadBytes is how much of a packet it takes to tell its flow.
const HeadBytes = 64

const protoTCP = 6

// flow makes a number of what a connection of TCP is known by.
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

// shaping lets so many bytes a second through, each way, as a wire with a router before
// it: what does not fit into the router is lost.
type shaping struct {
	rate int64
	free [2]time.Duration // when the wire is, by direction
}

// catchUp is for how long a wire that was free can have been idle and still send what it
// missed: it makes up for a thread that is late, and for nothing else.
const catchUp = 20 * time.Millisecond

// The router holds what it can send in 200 ms, and some packets at least.
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
