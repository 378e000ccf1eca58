package proxy

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"brunt/chaos/seed"
)

// ItemKind says what an item is.
type ItemKind uint8

const (
	Data  ItemKind = iota
	end            // the stream's end
	reset          // the connection was reset
)

// An item is what moves through a flow at once: some bytes, or the stream's end.
type Item struct {
	Kind        ItemKind
	Bytes       []byte
	whole       *[]byte   // the pooled buffer that b is all of, if nobody shares it
	Arrived     time.Time // when it came to the stage where it is
	req         *request  // whose bytes they are; nil on a link that is not parsed
	first, last bool      // begins, ends req
	shared      bool      // many items have the same b
}

// overhead is what an item costs in memory besides its bytes.
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

// Verdict is what becomes of an item.
type Verdict uint8

const (
	Leave       Verdict = iota // at its time
	Hold                       // until the toxic is removed
	Discard                    // nobody misses it
	Lose                       // its stream is broken
	LeaveAndEnd                // at once, and the connection ends behind it
)

// A gate is what one toxic does to one direction of one connection. Next is asked
// Once for each item, when it is the next in line. Left is when the one before it
// left.
type Gate interface {
	Next(it *Item, left, now time.Time) (time.Time, Verdict)
}

// A slicer is a gate that takes no more than a piece at once. It is asked for each
// Piece anew; 0 is any size.
type piecer interface{ Piece() int }

// A spot is the place of a gate.
type Point struct {
	Seed      uint64 // of the toxic at this place
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

// Touch counts the connection among those that the toxic affected.
func (s Point) Touch() { s.m.touch() }

// Random is a source of random numbers of this toxic, connection and direction.
func (s Point) Random() *rand.Rand { return seed.Source(s.Seed) }

// A meeting is one link that is under one toxic.
type attachment struct {
	x        *Toxicity
	l        *link
	affected atomic.Bool

	edit *Editor // what the toxic does to requests; nil is nothing
}

func newAttachment(x *Toxicity, l *link) *attachment {
	m := &attachment{x: x, l: l}
	if x.effect.Edit != nil {
		m.edit = x.effect.Edit(newPoint(m, Forward))
	}
	return m
}

// Touch counts the link among those that met the toxic.
func (m *attachment) touch() {
	if !m.l.isProbe() && m.affected.CompareAndSwap(false, true) {
		m.x.seen.connections.Add(1)
	}
}

// A stage is a gate and what waits before it.
type stage struct {
	m     *attachment
	dir   Direction
	gate  Gate
	cuts  piecer // the gate, if it takes pieces; nil is any size
	q     fifo
	asked bool      // about the head
	size  int       // the bytes of it that were asked about
	due   time.Time // what the gate said
	do    Verdict
	left  time.Time // when the last one left, by the gate's word
	lost  bool      // something was lost here
}

func newPoint(m *attachment, dir Direction) Point {
	s := Point{Seed: seed.Mix(m.l.p.c.Seed, m.x.n, m.l.n, uint64(dir)), Direction: dir, Probe: m.l.isProbe(), m: m}
	if !s.Probe {
		s.seen = &m.x.seen
	}
	return s
}

// newStage makes the stage of m in one direction, nil when its toxic does not act
// there.
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

// ask asks the gate about the head, or a piece of it, once.
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

// take takes what was asked about off the queue. It tells whether a part of the
// head stays.
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
