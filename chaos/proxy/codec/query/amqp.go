package query

import (
	"bytes"
	"encoding/binary"
)

// amqp cuts what a broker of AMQP 0.9.1 says into confirms of single messages and the rest. It knows no requests: the
// client's bytes pass, and confirms are known by their numbers alone.
type amqp struct {
	uncut
	skip     int // remaining bytes of a frame that is no method
	channels map[uint16]*confirms
}

// confirms are those of a channel.
type confirms struct {
	next uint64          // lowest number that is not confirmed
	done map[uint64]bool // higher numbers that are
}

// amqpHeader begins a connection.
const amqpHeader = "AMQP"

const (
	frameHead   = 7        // type, channel, length
	frameEnd    = 0xce     // ends a frame
	longestVerb = 64 << 10 // of a frame with a method, in bytes
	mostAtOnce  = 1 << 16  // messages that one confirm confirms
	confirmSize = frameHead + 4 + 8 + 1 + 1
	amqpNackAt  = frameHead + 3 // of the lower byte of the number of the method
	amqpNack    = 120
)

// The class and the method of frames that are looked at.
const (
	channelOpened = 20<<16 | 11
	basicAck      = 60<<16 | 80
	basicNack     = 60<<16 | amqpNack
)

// Nack makes a negative confirm of the bytes of a confirm, in place.
func Nack(confirm []byte) {
	if len(confirm) == confirmSize {
		confirm[amqpNackAt] = amqpNack
	}
}

func (*amqp) Speaks() string { return AMQP }

func (c *amqp) Idle() bool { return c.skip == 0 && len(c.out) == 0 }

// Refuse implements [Codec]. There are no requests.
func (*amqp) Refuse([]byte, string, string) (wrong, end []byte) { return nil, nil }

func (c *amqp) Requests(b []byte) ([]Part, error) {
	return []Part{{Bytes: bytes.Clone(b), Free: true}}, nil
}

func (c *amqp) Answers(b []byte) (parts []Part, err error) {
	c.out = append(c.out, b...)
	plain := 0 // the bytes before at that are no confirm, and in no part yet
	at := 0
	leave := func() {
		if at > plain {
			parts = append(parts, Part{Bytes: bytes.Clone(c.out[plain:at]), Free: true})
		}
	}
	for at < len(c.out) {
		if c.skip > 0 {
			n := min(c.skip, len(c.out)-at)
			at, c.skip = at+n, c.skip-n
			continue
		}
		rest := c.out[at:]
		if len(rest) < frameHead {
			break
		}
		size := int(binary.BigEndian.Uint32(rest[3:]))
		switch {
		case rest[0] != 1 && rest[0] != 2 && rest[0] != 3 && rest[0] != 8, size > longestFrame,
			rest[0] == 1 && size > longestVerb:
			leave()
			c.out = c.out[at:]
			return parts, errOther
		case rest[0] != 1:
			at, c.skip = at+frameHead, size+1
			continue
		}
		if len(rest) < frameHead+size+1 {
			break
		}
		frame := rest[:frameHead+size+1]
		all, is := c.confirmed(frame)
		if is && all == nil {
			leave()
			c.out = c.out[at:]
			return parts, errOther
		}
		if is {
			leave()
			for _, tag := range all {
				parts = append(parts, Part{Bytes: confirm(frame[1:3], tag), Free: true, Confirm: true})
			}
			plain = at + len(frame)
		}
		at += len(frame)
	}
	leave()
	if c.out = c.out[at:]; len(c.out) == 0 {
		c.out = nil
	}
	return parts, nil
}

// confirm is the frame that confirms one message.
func confirm(channel []byte, tag uint64) []byte {
	b := append([]byte{1}, channel...)
	b = append(b, 0, 0, 0, confirmSize-frameHead-1, 0, 60, 0, 80)
	return append(binary.BigEndian.AppendUint64(b, tag), 0, frameEnd)
}

// confirmed returns the numbers of the messages that a frame with a method confirms. is reports whether it confirms
// any; without numbers it is not understood. A negative confirm passes as it is, and its messages count as confirmed.
func (c *amqp) confirmed(frame []byte) (all []uint64, is bool) {
	if len(frame) < frameHead+5 {
		return nil, false
	}
	channel := binary.BigEndian.Uint16(frame[1:])
	verb := binary.BigEndian.Uint32(frame[frameHead:])
	if verb == channelOpened {
		delete(c.channels, channel)
	}
	if verb != basicAck && verb != basicNack {
		return nil, false
	}
	if len(frame) != confirmSize {
		return nil, true
	}
	tag, several := binary.BigEndian.Uint64(frame[frameHead+4:]), frame[frameHead+12]&1 == 1
	of := c.channels[channel]
	if of == nil {
		if c.channels == nil {
			c.channels = map[uint16]*confirms{}
		}
		of = &confirms{next: 1, done: map[uint64]bool{}}
		c.channels[channel] = of
	}
	if tag < of.next || tag-of.next > mostAtOnce || len(of.done) > mostAtOnce {
		return nil, true
	}
	if all = of.until(tag, several); verb == basicNack {
		return nil, false
	}
	return all, true
}

// until marks one message as done, or all up to it, and returns the numbers of those that were not.
func (of *confirms) until(tag uint64, several bool) (all []uint64) {
	if !several {
		of.done[tag] = true
		for ; of.done[of.next]; of.next++ {
			delete(of.done, of.next)
		}
		return []uint64{tag}
	}
	for ; of.next <= tag || of.done[of.next]; of.next++ {
		if !of.done[of.next] {
			all = append(all, of.next)
		}
		delete(of.done, of.next)
	}
	return all
}
