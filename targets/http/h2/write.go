package h2

import (
	"bytes"
	"runtime"
	"slices"
	"time"

	"brunt/targets"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// writing2 is the state of the writer.
type writing2 struct {
	out    bytes.Buffer
	framer *http2.Framer // writes to out
	hpack  *hpack.Encoder
	block  bytes.Buffer // a header block
	table  uint32
	batch  []written
	halves []written
	fields []rawField
	names  map[string]string // names by the author's spelling
	last   []hpack.HeaderField
	bound  int // number of fields of the current request, counted in last
}

// written is a stream whose header is in the batch.
type written struct {
	s  *Stream
	id uint32
}

func (w *writing2) init(m *mux) {
	w.framer = http2.NewFramer(&w.out, nil)
	w.hpack = hpack.NewEncoder(&w.block)
	w.table = 4096
	w.names = map[string]string{}
}

// mostBatch is the size of one write, in bytes.
const mostBatch = 64 << 10

// unsent takes back streams whose batch was not written.
func (m *mux) unsent(batch []written) {
	for _, b := range batch {
		b.s.mu.Lock()
		head := !b.s.wasSent // otherwise it is a later part of a body that stays open
		b.s.mu.Unlock()
		if !head {
			continue
		}
		if s := m.remove(b.id); s != nil {
			s.fail(errUntouched, true)
		}
	}
}

// lastWords is how long a connection is still read after a write failed.
const lastWords = 100 * time.Millisecond

// lastID is the largest stream number that is used on a connection.
const lastID = 1 << 30

// write sends the queued frames, until the connection ends.
func (m *mux) write() {
	w := &m.outbuf
	var queue []*Stream
	for {
		m.mu.Lock()
		for m.err == nil && len(m.queue) == 0 && m.control.Len() == 0 && !m.sendable() {
			m.work.Wait()
			if len(m.streams) > 0 && m.err == nil {
				m.gather()
			}
		}
		if m.err != nil {
			m.mu.Unlock()
			return
		}
		m.queue, queue = queue[:0], m.queue
		w.out.Write(m.control.Bytes())
		m.control.Reset()
		if m.table != w.table {
			w.table = m.table
			w.hpack.SetMaxDynamicTableSize(w.table)
		}
		idle := len(m.streams) == 0
		m.mu.Unlock()
		if idle && len(queue) > 0 && !m.quiet() {
			m.mu.Lock() // no byte of it was sent
			m.queue = append(queue, m.queue...)
			m.mu.Unlock()
			m.stop(targets.ErrStale)
			m.shut()
			return
		}
		for i, s := range queue {
			queue[i] = nil
			m.begin(s)
			if w.out.Len() >= mostBatch && !m.send() {
				return
			}
		}
		m.bodies()
		if !m.send() {
			return
		}
	}
}

// gather lets requests that are about to be submitted join the next write. The first of them wakes the writer, which
// would otherwise run before the others. The caller holds the mutex.
func (m *mux) gather() {
	m.mu.Unlock()
	runtime.Gosched()
	m.mu.Lock()
}

// quiet reports whether an idle connection is still open. It waits briefly until the reader has processed pending
// data, which may contain the end.
func (m *mux) quiet() bool {
	for n := range 200 {
		if m.conn.Watch == nil || m.conn.Watch.Quiet() {
			return true
		}
		m.mu.Lock()
		err := m.err
		m.mu.Unlock()
		if err != nil {
			return false
		}
		if n < 10 {
			runtime.Gosched()
		} else {
			time.Sleep(100 * time.Microsecond)
		}
	}
	return false
}

// begin writes the header of a stream into the batch, and as much of its body as the windows allow.
func (m *mux) begin(s *Stream) {
	w := &m.outbuf
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || s.err != nil {
		return
	}
	m.mu.Lock()
	if m.err != nil || m.away != nil {
		s.err, s.untouched = errUntouched, true
		m.mu.Unlock()
		s.flush()
		s.rouse()
		return
	}
	s.on, s.id = m, m.next
	s.reused, s.heard = m.carried.Load(), time.Duration(m.heard.Load())
	m.next += 2
	m.streams[s.id] = s
	s.room, s.took = m.initial, streamWindow
	used := m.next > lastID
	most := m.frame
	m.mu.Unlock()
	if used {
		defer m.usedUp()
	}
	scheme := "http"
	if m.line.secure {
		scheme = "https"
	}
	s.body = w.encode(s.req, scheme)
	s.more()
	end := len(s.body) == 0
	block := w.block.Bytes()
	first := block[:min(len(block), most)]
	rest := block[len(first):]
	_ = w.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: s.id, BlockFragment: first, EndStream: end && !s.framed && !s.open, EndHeaders: len(rest) == 0,
	})
	for len(rest) > 0 {
		part := rest[:min(len(rest), most)]
		rest = rest[len(part):]
		_ = w.framer.WriteContinuation(s.id, len(rest) == 0, part)
	}
	if end && s.framed {
		_ = w.framer.WriteData(s.id, true, nil)
	}
	w.batch = append(w.batch, written{s, s.id})
	if !end {
		m.mu.Lock()
		m.halves = append(m.halves, s)
		m.mu.Unlock()
	}
}

// usedUp retires a connection that has no stream numbers left.
func (m *mux) usedUp() {
	l := m.line
	l.mu.Lock()
	defer l.mu.Unlock()
	l.leave(m)
}

// sendable reports whether more of a body may be sent. The caller holds the mutex.
func (m *mux) sendable() bool {
	return slices.ContainsFunc(m.halves, func(s *Stream) bool { return s.ends || m.room > 0 && s.room > 0 })
}

// bodies writes as much of the bodies into the batch as the windows allow.
func (m *mux) bodies() {
	w := &m.outbuf
	m.mu.Lock()
	w.halves = w.halves[:0]
	for _, s := range m.halves {
		w.halves = append(w.halves, written{s, s.id})
	}
	m.mu.Unlock()
	for _, h := range w.halves {
		s := h.s
		s.mu.Lock()
		if s.on != m || s.id != h.id { // another request already uses it
			s.mu.Unlock()
			continue
		}
		for !s.over && s.err == nil && len(s.body) > 0 && w.out.Len() < mostBatch {
			m.mu.Lock()
			n := int(min(int64(len(s.body)), s.room, m.room, int64(m.frame)))
			if n > 0 {
				s.room -= int64(n)
				m.room -= int64(n)
			}
			m.mu.Unlock()
			if n <= 0 {
				break
			}
			part := s.body[:n]
			s.body = s.body[n:]
			s.more()
			_ = w.framer.WriteData(s.id, len(s.body) == 0 && s.written == nil, part)
		}
		done := len(s.body) == 0
		if done && s.written != nil {
			m.heldBody(s)
		}
		s.mu.Unlock()
		if done {
			m.mu.Lock()
			m.halves = slices.DeleteFunc(m.halves, func(h *Stream) bool { return h == s })
			m.mu.Unlock()
		}
	}
}

// heldBody notes that the given part of a body that stays open is in the batch, and ends the body if nothing more
// comes. The caller holds the stream's mutex.
func (m *mux) heldBody(s *Stream) {
	w := &m.outbuf
	w.batch = append(w.batch, written{s, s.id})
	s.batched = true
	m.mu.Lock()
	ends := s.ends
	s.ends = false
	m.mu.Unlock()
	if ends && !s.over && s.err == nil {
		_ = w.framer.WriteData(s.id, true, nil)
	}
}

// send writes the batch to the connection and records the time.
func (m *mux) send() bool {
	w := &m.outbuf
	if w.out.Len() == 0 {
		return true
	}
	m.flush.Store(int64(m.line.o.Now()))
	n, err := m.conn.Conn.Write(w.out.Bytes())
	w.out.Reset()
	if err != nil {
		if n == 0 { // no byte of it was sent
			m.unsent(w.batch)
		}
		for _, b := range w.batch {
			b.s.mu.Lock()
			b.s.broken = err
			b.s.flush()
			b.s.mu.Unlock()
		}
		// Data that the server sent before it closed must still be read: the answer to a refused body, or GOAWAY.
		m.stop(err)
		_ = m.conn.Raw.SetReadDeadline(time.Now().Add(lastWords))
		return false
	}
	now := m.line.o.Now()
	for i, b := range w.batch {
		w.batch[i] = written{}
		b.s.mu.Lock()
		if b.s.on == m && b.s.id == b.id {
			if !b.s.wasSent {
				b.s.sent, b.s.wasSent = now, true
			}
			if b.s.written != nil && len(b.s.body) == 0 {
				b.s.wrote, b.s.pending = now, false
				b.s.flush()
			}
		}
		b.s.mu.Unlock()
	}
	w.batch = w.batch[:0]
	return true
}
