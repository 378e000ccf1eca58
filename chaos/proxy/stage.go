package proxy

import (
	"sync/atomic"
	"time"

	"brunt/chaos/seed"
)

// kind says what an item is.
type kind uint8

const (
	data  kind = iota
	end        // the stream's end
	reset      // the connection was reset
)

// An item is what moves through a flow at once: some bytes, or the stream's end.
type item struct {
	kind        kind
	b           []byte
	whole       *[]byte   // the pooled buffer that b is all of, if nobody shares it
	in          time.Time // when it came to the stage where it is
	req         *request  // whose bytes they are; nil on a link that is not parsed
	first, last bool      // begins, ends req
	shared      bool      // many items have the same b
}

// overhead is what an item costs in memory besides its bytes.
const overhead = 160

func (it *item) cost() int {
	if it.shared {
		return overhead
	}
	return len(it.b) + overhead
}

// A fifo is a queue of items.
type fifo struct {
	items []item
	at    int
}

func (q *fifo) len() int    { return len(q.items) - q.at }
func (q *fifo) head() *item { return &q.items[q.at] }

func (q *fifo) push(it item) { q.items = append(q.items, it) }

func (q *fifo) pop() item {
	it := q.items[q.at]
	q.items[q.at] = item{}
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

// verdict is what becomes of an item.
type verdict uint8

const (
	leave   verdict = iota // at its time
	hold                   // until the toxic is removed
	swallow                // nobody misses it
	lose                   // its stream is broken
	final                  // at once, and the connection ends behind it
)

// A gate is what one toxic does to one direction of one connection. Next is asked
// once for each item, when it is the next in line. Left is when the one before it
// left.
type gate interface {
	next(it *item, left, now time.Time) (time.Time, verdict)
}

// A slicer is a gate that takes no more than a piece at once. It is asked for each
// piece anew; 0 is any size.
type slicer interface{ piece() int }

// A spot is the place of a gate.
type spot struct {
	seed  uint64 // of the toxic at this place
	dir   Direction
	probe bool
	seen  *counters // nil for a probe
	m     *meeting
}

// A meeting is one link that is under one toxic.
type meeting struct {
	x   *Toxicity
	l   *link
	met atomic.Bool

	edit *editor // what the toxic does to requests; nil is nothing
}

func newMeeting(x *Toxicity, l *link) *meeting {
	m := &meeting{x: x, l: l}
	if x.effect.edit != nil {
		m.edit = x.effect.edit(newSpot(m, Forward))
	}
	return m
}

// touch counts the link among those that met the toxic.
func (m *meeting) touch() {
	if !m.l.isProbe() && m.met.CompareAndSwap(false, true) {
		m.x.seen.connections.Add(1)
	}
}

// A stage is a gate and what waits before it.
type stage struct {
	m     *meeting
	dir   Direction
	gate  gate
	cuts  slicer // the gate, if it takes pieces; nil is any size
	q     fifo
	asked bool      // about the head
	size  int       // the bytes of it that were asked about
	due   time.Time // what the gate said
	do    verdict
	left  time.Time // when the last one left, by the gate's word
	lost  bool      // something was lost here
}

func newSpot(m *meeting, dir Direction) spot {
	s := spot{seed: seed.Mix(m.l.p.c.Seed, m.x.n, m.l.n, uint64(dir)), dir: dir, probe: m.l.isProbe(), m: m}
	if !s.probe {
		s.seen = &m.x.seen
	}
	return s
}

// newStage makes the stage of m in one direction, nil when its toxic does not act
// there.
func newStage(m *meeting, dir Direction) *stage {
	if m.x.effect.gate == nil {
		return nil
	}
	g := m.x.effect.gate(newSpot(m, dir))
	if g == nil {
		return nil
	}
	st := &stage{m: m, dir: dir, gate: g}
	st.cuts, _ = g.(slicer)
	return st
}

func (s *stage) enter(it item) {
	if !s.m.x.effect.picks && !s.m.l.isProbe() {
		s.m.touch()
		s.m.x.seen.bytes(s.dir, len(it.b))
	}
	s.q.push(it)
}

// ask asks the gate about the head, or a piece of it, once.
func (s *stage) ask(now time.Time) {
	if s.asked {
		return
	}
	it := *s.q.head()
	if s.cuts != nil && len(it.b) > 1 {
		if most := s.cuts.piece(); most > 0 && len(it.b) > most {
			it.b = it.b[:most]
		}
	}
	s.size = len(it.b)
	s.due, s.do = s.gate.next(&it, s.left, now)
	s.asked = true
}

// take takes what was asked about off the queue. It tells whether a part of the
// head stays.
func (s *stage) take() (it item, split bool) {
	s.asked = false
	h := s.q.head()
	if s.size == len(h.b) {
		return s.q.pop(), false
	}
	it = *h
	it.b, it.whole, it.last = h.b[:s.size:s.size], nil, false
	h.b, h.whole, h.first = h.b[s.size:], nil, false
	return it, true
}

// later is the later of two times.
func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
