package h2

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/targets/http/h1"

	"golang.org/x/net/http/httpguts"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// read processes the frames of the server until the connection ends. It wakes a stream when its answer is complete,
// or when no more data is buffered.
func (m *mux) read() error {
	r := &m.in
	for {
		if r.br.Buffered() < 9 { // the read of the next frame may block
			for i, s := range r.touched {
				s.rouse()
				r.touched[i] = nil
			}
			r.touched = r.touched[:0]
		}
		f, err := r.frame()
		if err == nil {
			err = m.take(f)
		}
		if bad, ok := errors.AsType[http2.StreamError](err); ok {
			m.bad(bad)
			err = nil
		}
		if bad, ok := errors.AsType[http2.ConnectionError](err); ok {
			return fmt.Errorf("what came back is not HTTP/2: %w", bad)
		} else if err == io.EOF {
			return io.ErrUnexpectedEOF // so that the end of the connection is not taken for the end of a body
		} else if err != nil {
			return err
		}
	}
}

// take processes a frame.
func (m *mux) take(f http2.Frame) error {
	switch f := f.(type) {
	case *http2.HeadersFrame:
		return m.takeHead(f)
	case *http2.DataFrame:
		return m.takeData(f)
	case *http2.RSTStreamFrame:
		if s := m.remove(f.StreamID); s != nil {
			s.mu.Lock()
			m.arrived(s)
			s.mu.Unlock()
			s.fail(&streamReset{f.ErrCode}, f.ErrCode == http2.ErrCodeRefusedStream)
		}
	case *http2.SettingsFrame:
		if f.IsAck() {
			return nil
		}
		allowed := -1
		m.mu.Lock()
		err := m.settle(f, &allowed)
		m.mu.Unlock()
		if allowed >= 0 {
			m.line.allows(m, allowed)
		}
		return err
	case *http2.PingFrame:
		if !f.IsAck() {
			m.mu.Lock()
			defer m.mu.Unlock()
			return m.reply(func() error { return m.ctl.WritePing(true, f.Data) })
		}
	case *http2.GoAwayFrame:
		m.goAway(f)
	case *http2.WindowUpdateFrame:
		m.mu.Lock()
		defer m.mu.Unlock()
		room, s := &m.room, m.streams[f.StreamID]
		if f.StreamID != 0 {
			if s == nil {
				return nil
			}
			room = &s.room
		}
		if *room += int64(f.Increment); *room > 1<<31-1 {
			return http2.ConnectionError(http2.ErrCodeFlowControl)
		}
		m.work.Signal()
	case *http2.PushPromiseFrame:
		return http2.ConnectionError(http2.ErrCodeProtocol) // the client's settings forbid it
	}
	return nil
}

// arrived marks a stream as sent if the writer has not done so yet, because the server refers to it. The caller holds
// the stream's mutex.
func (m *mux) arrived(s *Stream) {
	if !s.wasSent {
		s.sent, s.wasSent = time.Duration(m.flush.Load()), true
	}
}

// find returns the stream with a number. It is nil if no request waits for it.
func (m *mux) find(id uint32) *Stream {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.streams[id]
}

// remove removes a stream from the connection.
func (m *mux) remove(id uint32) *Stream {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.streams[id]
	if s != nil {
		m.forget(s, id)
	}
	return s
}

// bad ends a stream whose frames violate the protocol.
func (m *mux) bad(e http2.StreamError) {
	s := m.remove(e.StreamID)
	if s == nil {
		return
	}
	m.mu.Lock()
	_ = m.ctl.WriteRSTStream(e.StreamID, e.Code)
	m.work.Signal()
	m.mu.Unlock()
	s.mu.Lock()
	m.arrived(s)
	s.mu.Unlock()
	err := e.Cause
	if err == nil {
		err = fmt.Errorf("what came back is not HTTP/2: %w", e)
	}
	s.fail(err, false)
}

// takeHead processes a header: of an answer, of an interim answer such as 100 Continue, or trailers. It reads the
// whole header before it locks the stream, because a server may freeze between two parts of a header, and a request
// must not.
func (m *mux) takeHead(f *http2.HeadersFrame) error {
	r := &m.in
	id, end, at := f.StreamID, f.StreamEnded(), r.at
	block, err := m.headBlock(f)
	if err != nil {
		return err
	}
	s := m.find(id)
	r.head.begin(s)
	if s == nil {
		return r.decode(block)
	}
	s.mu.Lock()
	if s.first == 0 {
		s.first = at
	}
	if err = r.decode(block); err == nil {
		err = r.head.finish(id, end)
	}
	began, over := s.began, s.over
	if err == nil && !over && end {
		m.whole(s, id)
	}
	m.arrived(s)
	s.mu.Unlock()
	switch {
	case over || err != nil:
		return err
	case end:
		s.rouse()
	case began:
		r.touched = append(r.touched, s)
	}
	return nil
}

// headBlock returns the header block that begins with f. It is valid until the next frame.
func (m *mux) headBlock(f *http2.HeadersFrame) ([]byte, error) {
	r := &m.in
	if f.HeadersEnded() {
		return f.HeaderBlockFragment(), nil
	}
	m.half.Store(true)
	defer m.half.Store(false)
	r.block = append(r.block[:0], f.HeaderBlockFragment()...)
	for {
		next, err := r.frame()
		if err != nil {
			return nil, err
		}
		c, ok := next.(*http2.ContinuationFrame)
		if !ok {
			return nil, http2.ConnectionError(http2.ErrCodeProtocol)
		}
		if len(r.block)+len(c.HeaderBlockFragment()) > 2*h1.MaxHead {
			return nil, http2.ConnectionError(http2.ErrCodeEnhanceYourCalm)
		}
		r.block = append(r.block, c.HeaderBlockFragment()...)
		if c.HeadersEnded() {
			return r.block, nil
		}
	}
}

// frame reads a frame. It runs in the connection's own goroutine, where no call could recover from a panic of the
// framer or of TLS, so it recovers itself.
func (r *reading2) frame() (f http2.Frame, err error) {
	defer scenarios.Recover(&err)
	return r.framer.ReadFrame()
}

// decode decodes a header block, field by field, into head.
func (r *reading2) decode(block []byte) (err error) {
	defer scenarios.Recover(&err)
	if _, err := r.hpack.Write(block); err != nil {
		return http2.ConnectionError(http2.ErrCodeCompression)
	}
	if err := r.hpack.Close(); err != nil {
		return http2.ConnectionError(http2.ErrCodeCompression)
	}
	return nil
}

// takeData processes a part of a body.
func (m *mux) takeData(f *http2.DataFrame) error {
	r := &m.in
	size := int64(f.Length)
	if r.got += size; r.got >= connWindow/2 {
		m.mu.Lock()
		_ = m.ctl.WriteWindowUpdate(0, uint32(r.got))
		m.work.Signal()
		m.mu.Unlock()
		r.got = 0
	}
	m.mu.Lock()
	s := m.streams[f.StreamID]
	over := false
	if s != nil {
		s.took -= size
		over = s.took < 0
	}
	m.mu.Unlock()
	switch {
	case s == nil:
		return nil
	case over:
		return http2.StreamError{StreamID: f.StreamID, Code: http2.ErrCodeFlowControl}
	}
	s.mu.Lock()
	if s.over {
		s.mu.Unlock()
		return nil
	}
	if !s.began {
		s.mu.Unlock()
		return http2.StreamError{StreamID: f.StreamID, Code: http2.ErrCodeProtocol}
	}
	buf, err := s.claim.Grow(s.buf, len(f.Data()))
	if err != nil {
		s.mu.Unlock()
		return http2.StreamError{StreamID: f.StreamID, Code: http2.ErrCodeCancel, Cause: err}
	}
	s.buf, s.at = append(buf, f.Data()...), r.at
	padding := int(size) - len(f.Data())
	end := f.StreamEnded()
	if end {
		m.whole(s, f.StreamID)
	}
	s.mu.Unlock()
	if end {
		s.rouse()
		return nil
	}
	if padding > 0 {
		m.grant(s, padding)
	}
	r.touched = append(r.touched, s)
	return nil
}

// whole marks an answer as complete. If the request is not fully sent, it resets the stream, because the server does
// not need the rest.
func (m *mux) whole(s *Stream, id uint32) {
	s.ended, s.last = true, m.in.at
	if !m.carried.Load() {
		m.carried.Store(true)
	}
	s.flush()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forget(s, id)
	if len(s.body) > 0 || s.open || s.ends {
		s.body, s.tail, s.open, s.ends = nil, nil, false, false
		_ = m.ctl.WriteRSTStream(id, http2.ErrCodeNo)
		m.work.Signal()
	}
}

// head2 builds an answer's header from a header block.
type head2 struct {
	s      *Stream // nil: no request waits for it
	status int
	err    error
}

func (h *head2) begin(s *Stream) { *h = head2{s: s} }

// field adds a header field to the answer.
func (h *head2) field(f hpack.HeaderField) {
	s := h.s
	if s == nil || s.over || h.err != nil {
		return
	}
	if s.headSize += int(f.Size()); s.headSize > h1.MaxHead {
		h.err = h1.ErrTooLong
		return
	}
	if f.Name == ":status" {
		code, err := strconv.Atoi(f.Value)
		if err != nil || code < 100 || code > 999 || h.status != 0 || s.began {
			h.err = h1.ErrNotHTTP
			return
		}
		h.status = code
		if s.ans == nil {
			s.ans = h1.NewAnswer()
		} else { // the earlier block was an interim answer such as 100 Continue
			s.ans.Reset()
		}
		s.ans.Head().SetStatusCode(code)
		s.length = -1
		return
	}
	switch {
	case !httpguts.ValidHeaderFieldName(f.Name) || f.Name != strings.ToLower(f.Name) ||
		!httpguts.ValidHeaderFieldValue(f.Value) || h.status == 0 && !s.began:
		h.err = h1.ErrNotHTTP
		return
	case s.began:
		s.trailers = append(s.trailers, f)
		return
	case f.Name == "content-length":
		n, err := strconv.ParseInt(f.Value, 10, 64)
		if err != nil || n < 0 {
			h.err = h1.ErrNotHTTP
			return
		}
		s.length = n
	}
	s.ans.Head().Add(f.Name, f.Value)
}

// finish completes the header of a stream. The caller holds the stream's mutex.
func (h *head2) finish(id uint32, end bool) error {
	s := h.s
	bad := func(err error) error {
		return http2.StreamError{StreamID: id, Code: http2.ErrCodeProtocol, Cause: err}
	}
	switch {
	case s.over:
		return nil
	case h.err != nil:
		return bad(h.err)
	case s.began: // trailers
		if !end {
			return bad(h1.ErrNotHTTP)
		}
	case h.status == 0:
		return bad(h1.ErrNotHTTP)
	case h.status < 200:
		if end || h.status == 101 {
			return bad(h1.ErrNotHTTP)
		}
	default:
		s.began = true
	}
	return nil
}

// AddTrailers adds the trailers of a stream that was read to its end to its answer.
func (s *Stream) AddTrailers(a *h1.Answer) {
	for _, f := range s.trailers {
		a.Head().Add(f.Name, f.Value)
	}
}

// ReadAnswer reads the body of the stream's answer, and its trailers. It keeps a body of up to most bytes whole; if
// most is 0, it keeps only the beginning.
func (s *Stream) ReadAnswer(a *h1.Answer, method string, most int) error {
	if err := a.TakeFramed(s, s.length, method, most); err != nil {
		return err
	}
	s.AddTrailers(a)
	return nil
}
