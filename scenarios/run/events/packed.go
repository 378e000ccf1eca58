package events

import (
	"encoding/binary"
	"slices"
	"time"

	"brunt/scenarios/result"
)

// packed is a list of events in encoded form: a run has thousands, and each takes 150 bytes and its texts otherwise.
//
// An event is its kind, by number, its time since base and its time by the wall clock, both in ns, its fault, unit and
// text, each after its length, and the number of its data; 0 is none. No event is in two chunks.
type packed struct {
	base   time.Time // what the times are relative to
	kinds  []string
	data   []map[string]any
	chunks [][]byte
	n      int
}

// chunkSize is the size of a chunk in bytes; a longer event has its own.
const chunkSize = 8 << 10

// add adds an event at a time.
func (p *packed) add(at time.Time, e *result.Event) {
	kind := slices.Index(p.kinds, e.Event)
	if kind < 0 {
		kind, p.kinds = len(p.kinds), append(p.kinds, e.Event)
	}
	data := 0
	if e.Data != nil {
		p.data = append(p.data, e.Data)
		data = len(p.data)
	}
	var buf [512]byte
	b := binary.AppendUvarint(buf[:0], uint64(kind))
	b = binary.AppendVarint(b, int64(at.Sub(p.base)))
	b = binary.AppendVarint(b, int64(e.At.Sub(p.base.Round(0))))
	for _, s := range []string{e.Fault, e.Unit, e.Text} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	b = binary.AppendUvarint(b, uint64(data))
	last := len(p.chunks) - 1
	if last < 0 || len(p.chunks[last])+len(b) > cap(p.chunks[last]) {
		p.chunks = append(p.chunks, make([]byte, 0, max(chunkSize, len(b))))
		last++
	}
	p.chunks[last] = append(p.chunks[last], b...)
	p.n++
}

// each calls do with each event, in the order in which they were added. Its time is relative to t0.
func (p *packed) each(t0 time.Time, do func(e result.Event)) {
	begun := t0.Sub(p.base)
	for _, b := range p.chunks {
		for len(b) > 0 {
			number := func() uint64 {
				n, size := binary.Uvarint(b)
				b = b[size:]
				return n
			}
			offset := func() time.Duration {
				n, size := binary.Varint(b)
				b = b[size:]
				return time.Duration(n)
			}
			text := func() string {
				n := number()
				s := string(b[:n])
				b = b[n:]
				return s
			}
			e := result.Event{Event: p.kinds[number()]}
			e.T, e.At = result.Sec(offset()-begun), p.base.Round(0).UTC().Add(offset())
			e.Fault, e.Unit, e.Text = text(), text(), text()
			if data := number(); data > 0 {
				e.Data = p.data[data-1]
			}
			do(e)
		}
	}
}
