package proxy

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"brunt/chaos/seed"
)

// ItemKind is the kind of an item.
type ItemKind uint8

const (
	Data  ItemKind = iota // bytes of the stream
	end                   // the stream's end
	reset                 // the connection was reset
)

// An Item is the unit that moves through a flow: some bytes, or the stream's end.
type Item struct {
	Kind        ItemKind
	Bytes       []byte
	whole       *[]byte   // the pooled buffer of Bytes, if no other item shares it
	Arrived     time.Time // at its current stage
	req         *request  // the request that the bytes belong to; nil if the link is not parsed
	first, last bool      // the item begins, ends req
	confirm     bool      // a broker confirms one message by it
	asks        bool      // the client may wait for an answer to this part of req
	shared      bool      // several items have the same Bytes
}

// overhead is the memory cost of an item in bytes in addition to its data.
const overhead = 160

func (it *Item) cost() int {
	if it.shared {
		return overhead
	}
	return len(it.Bytes) + overhead
}

// A fifo is a queue of items.
type fifo struct {
	items []Item
	at    int
}

func (q *fifo) len() int    { return len(q.items) - q.at }
func (q *fifo) head() *Item { return &q.items[q.at] }

func (q *fifo) push(it Item) { q.items = append(q.items, it) }

func (q *fifo) pop() Item {
	it := q.items[q.at]
	q.items[q.at] = Item{}
	q.at++
	switch {
	case q.at == len(q.items):
		q.items, q.at = q.items[:0], 0
	case q.at >= 64 && q.at*2 >= len(q.items):
		n := copy(q.items, q.items[q.at:])
		clear(q.items[n:])
		q.items, q.at = q.items[:n], 0
	}
	return it
}

// Verdict says what happens to an item.
type Verdict uint8

const (
	Leave       Verdict = iota // at its due time
	Hold                       // until the toxic is removed
	Discard                    // without damage to the stream
	Lose                       // the stream is damaged
	LeaveAndEnd                // at once, and then the connection ends
)

// A Gate is the effect of one toxic on one direction of one connection. The stage calls Next once
// for each item, when the item is the next in line. left is when the previous item left.
type Gate interface {
	Next(it *Item, left, now time.Time) (time.Time, Verdict)
}

// A piecer is a gate that processes limited pieces. The stage calls Piece for each piece; 0 is any
// size.
type piecer interface{ Piece() int }

// A Point is the injection point of a gate.
type Point struct {
	Seed      uint64 // of the toxic at this point
	Direction Direction
	Probe     bool
	seen      *counters // nil for a probe
	m         *attachment
}

// Chosen reports whether the connection belongs to a share of all connections, by the seed, the toxic
// and the number of the connection. A share of 0 is all.
func (s Point) Chosen(share float64) bool {
	return share == 0 || seed.Chosen(share, s.m.l.p.c.Seed, s.m.x.n, s.m.l.n)
}

// Touch counts the connection among those that the toxic affected. The zero Point counts nothing.
func (s Point) Touch() {
	if s.m != nil {
		s.m.touch()
	}
}

// Count counts a thing of some bytes that the toxic hit, or that it let pass.
func (s Point) Count(size int, hit bool) {
	if s.seen == nil {
		return
	}
	s.m.touch()
	s.seen.bytes(s.Direction, size)
	if hit {
		s.seen.hit.Add(1)
		s.m.l.p.stats.hit.Add(1)
	} else {
		s.seen.passed.Add(1)
	}
}

// Random returns a random source for this toxic, connection and direction.
func (s Point) Random() *rand.Rand { return seed.Source(s.Seed) }

// An attachment is one link under one toxic.
type attachment struct {
	x        *toxicity
	l        *link
	affected atomic.Bool

	edit    *Editor       // the effect of the toxic on requests; nil is none
	streams *StreamEffect // effect of the toxic on requests of HTTP/2; nil: no effect
}

func newAttachment(x *toxicity, l *link) *attachment {
	m := &attachment{x: x, l: l}
	if x.effect.Edit != nil {
		m.edit = x.effect.Edit(newPoint(m, Forward))
	}
	if x.effect.Streams != nil {
		m.streams = x.effect.Streams(newPoint(m, Forward))
	}
	return m
}

// touch counts the link among those that the toxic affected.
func (m *attachment) touch() {
	if !m.l.isProbe() && m.affected.CompareAndSwap(false, true) {
		m.x.seen.connections.Add(1)
	}
}

// A stage is a gate and its queue.
type stage struct {
	m     *attachment
	dir   Direction
	gate  Gate
	cuts  piecer // the gate, if it limits pieces; nil is any size
	q     fifo
	asked bool      // the gate has decided on the head
	size  int       // the bytes of the head that it decided on
	due   time.Time // when the head leaves
	do    Verdict
	left  time.Time // when the previous item left, according to the gate
	lost  bool      // this stage lost data
}

func newPoint(m *attachment, dir Direction) Point {
	s := Point{Seed: seed.Mix(m.l.p.c.Seed, m.x.n, m.l.n, uint64(dir)), Direction: dir, Probe: m.l.isProbe(), m: m}
	if !s.Probe {
		s.seen = &m.x.seen
	}
	return s
}

// newStage makes the stage of m in one direction; nil if its toxic does not act there.
func newStage(m *attachment, dir Direction) *stage {
	if m.x.effect.Gate == nil {
		return nil
	}
	g := m.x.effect.Gate(newPoint(m, dir))
	if g == nil {
		return nil
	}
	st := &stage{m: m, dir: dir, gate: g}
	st.cuts, _ = g.(piecer)
	return st
}

func (s *stage) enter(it Item) {
	if !s.m.x.effect.CountsItself && !s.m.l.isProbe() {
		s.m.touch()
		s.m.x.seen.bytes(s.dir, len(it.Bytes))
	}
	s.q.push(it)
}

// ask calls the gate for the head of the queue, or a piece of it, once.
func (s *stage) ask(now time.Time) {
	if s.asked {
		return
	}
	it := *s.q.head()
	if s.cuts != nil && len(it.Bytes) > 1 {
		if most := s.cuts.Piece(); most > 0 && len(it.Bytes) > most {
			it.Bytes = it.Bytes[:most]
		}
	}
	s.size = len(it.Bytes)
	s.due, s.do = s.gate.Next(&it, s.left, now)
	s.asked = true
}

// take removes the item that the gate decided on. split reports whether a part of the head stays.
func (s *stage) take() (it Item, split bool) {
	s.asked = false
	h := s.q.head()
	if s.size == len(h.Bytes) {
		return s.q.pop(), false
	}
	it = *h
	it.Bytes, it.whole, it.last = h.Bytes[:s.size:s.size], nil, false
	h.Bytes, h.whole, h.first = h.Bytes[s.size:], nil, false
	return it, true
}
