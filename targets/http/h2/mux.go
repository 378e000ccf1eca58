package h2

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/http/h1"
)

// mux is an HTTP/2 connection, which carries many streams at once (RFC 9113).
//
//	ask -> queue -> writer: header fields, bodies as the windows allow -> server
//	       reader: answers into their streams, windows, GOAWAY          <- server
//
// One goroutine opens the connection and then reads, and another writes, so that no request blocks in the write of
// another. x/net provides the codec and the compression. mux keeps streams and times itself, because the times that
// brunt judges by must be exact.
type mux struct {
	line   *Line
	began  time.Duration   // when opening began
	born   time.Duration   // when opening ended
	stages *targets.Stages // of opening
	conn   *h1.Conn

	places
	pulse

	mu      sync.Mutex
	work    sync.Cond // there is something to write
	err     error     // why the connection ended; nil: it is open
	away    *goneAway // the server announced the end of the connection
	streams map[uint32]*Stream
	next    uint32
	queue   []*Stream // to be written
	control bytes.Buffer
	ctl     *http2.Framer // writes to control
	halves  []*Stream     // streams whose bodies are not fully written yet
	windows

	in     reading2
	outbuf writing2
}

// places are the streams that a connection carries and may carry. The line's mutex guards them.
type places struct {
	ready   bool // the connection is open
	leaving bool // it accepts no more streams
	limit   int  // largest number of streams
	active  int  // places taken
	left    int  // further streams before it accepts no more; negative: no limit
	early   []*Stream
}

// pulse records when data came and went on a connection.
type pulse struct {
	heard  atomic.Int64 // when data last came
	pinged atomic.Int64 // when a PING was sent that is still unanswered; zero: none
	flush  atomic.Int64 // when the last write began
	half   atomic.Bool  // a header block is incomplete, so no other frame can come

	carried atomic.Bool // an answer has come
}

// hears records that data came, which also answers a PING.
func (p *pulse) hears(at time.Duration) {
	p.heard.Store(int64(at))
	if p.pinged.Load() != 0 {
		p.pinged.Store(0)
	}
}

// silent reports whether no data, or only a part of a header block, has come since a moment.
func (p *pulse) silent(since time.Duration) bool {
	return p.heard.Load() <= int64(since) || p.half.Load()
}

// mute reports whether the server has left a PING unanswered for too long.
func (p *pulse) mute(now time.Duration) bool {
	at := p.pinged.Load()
	return at != 0 && now-time.Duration(at) > patience
}

// idle reports whether nothing has come for most or longer; zero: for any time.
func (p *pulse) idle(now, most time.Duration) bool {
	return most > 0 && now-time.Duration(p.heard.Load()) >= most
}

// windows are the server's settings, and how much it accepts now. The connection's mutex guards them.
type windows struct {
	room    int64  // bytes of bodies that the server accepts
	initial int64  // bytes that the server accepts on a new stream
	frame   int    // largest payload of a frame, in bytes
	table   uint32 // size of the server's header table
}

// Windows that brunt grants to the server. They are so large that the server never waits for brunt.
const (
	streamWindow = 1 << 20
	connWindow   = 1 << 30
)

// patience is how long a PING may stay unanswered before a connection accepts no more streams. The PING is sent when
// a request times out on a silent connection.
const patience = time.Second

func newMux(l *Line) *mux {
	m := &mux{
		line: l, began: l.o.Now(), stages: targets.NewStages(l.o.Now), streams: map[uint32]*Stream{}, next: 1,
		windows: windows{room: 65535, initial: 65535, frame: 16384, table: 4096},
	}
	m.work.L = &m.mu
	m.ctl = http2.NewFramer(&m.control, nil)
	return m
}

// run opens the connection and reads from it until it ends.
func (m *mux) run() {
	l := m.line
	deadline := m.began + l.o.Timeout
	allowed, err := m.connect(deadline)
	if err != nil {
		if m.conn != nil {
			l.host.Drop(m.conn)
		}
		l.gone(m, err)
		return
	}
	var writer sync.WaitGroup
	writer.Go(m.write)
	m.born = l.o.Now()
	l.opened(m, allowed)
	m.stop(m.read())
	m.shut()
	writer.Wait() // afterwards it is known what was sent
	m.fail()
	l.host.Drop(m.conn)
}

// errNot2 means that the server does not speak HTTP/2.
var errNot2 = errors.New("the server does not speak HTTP/2 here; if it speaks HTTP/1.1, set " +
	"connections: {http: 1.1} for HTTP requests")

// connect opens the connection and returns how many streams the server allows.
func (m *mux) connect(deadline time.Duration) (allowed int, err error) {
	l := m.line
	c, err := l.host.Connect(deadline, m.stages)
	if err != nil {
		return 0, err
	}
	if t, ok := c.Conn.(*tls.Conn); ok && t.ConnectionState().NegotiatedProtocol != "h2" {
		if l.o.Connections.HTTP == scenarios.HTTP2 {
			m.conn = c
			return 0, errNot2
		}
		l.host.Adopt(c)
		return 0, ErrHTTP1
	}
	m.conn = c
	m.stages.Enter(scenarios.InLogin)
	defer m.stages.Leave()
	if !l.secure {
		if c.Watch = h1.NewWatched(c.Raw); c.Watch != nil {
			c.Conn = c.Watch
		}
	}
	c.Until(deadline, 0)
	if _, err := c.Conn.Write(preface()); err != nil {
		c.Torn = true
		return 0, err
	}
	m.in.init(m)
	m.outbuf.init(m)
	f, err := m.in.frame()
	settings, ok := f.(*http2.SettingsFrame)
	switch {
	case err == nil && !ok || errors.Is(err, http2.ErrFrameTooLarge):
		return 0, errNot2
	case err != nil:
		return 0, fmt.Errorf("before the server said anything in HTTP/2: %w", err)
	}
	allowed = unlimited
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.settle(settings, &allowed); err != nil {
		return 0, err
	}
	_ = c.SetDeadline(time.Time{})
	l.host.Speaks()
	return allowed, nil
}

// preface returns the first bytes that a client sends.
func preface() []byte {
	b := bytes.NewBufferString(http2.ClientPreface)
	f := http2.NewFramer(b, nil)
	_ = f.WriteSettings(
		http2.Setting{ID: http2.SettingEnablePush, Val: 0},
		http2.Setting{ID: http2.SettingInitialWindowSize, Val: streamWindow},
		http2.Setting{ID: http2.SettingMaxHeaderListSize, Val: h1.MaxHead},
	)
	_ = f.WriteWindowUpdate(0, connWindow-65535)
	return b.Bytes()
}

// settle applies the server's settings. The caller holds the mutex.
func (m *mux) settle(f *http2.SettingsFrame, allowed *int) error {
	err := f.ForeachSetting(func(s http2.Setting) error {
		if err := s.Valid(); err != nil {
			return err
		}
		switch s.ID {
		case http2.SettingMaxConcurrentStreams:
			*allowed = int(min(s.Val, unlimited))
		case http2.SettingInitialWindowSize:
			more := int64(s.Val) - m.initial
			m.initial += more
			for _, s := range m.streams {
				s.room += more
			}
		case http2.SettingMaxFrameSize:
			m.frame = int(min(s.Val, 64<<10))
		case http2.SettingHeaderTableSize:
			m.table = min(s.Val, 4096)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return m.reply(func() error { return m.ctl.WriteSettingsAck() })
}

// reply writes the answer to a frame that needs one. It fails if the server keeps asking but never reads. The caller
// holds the mutex.
func (m *mux) reply(write func() error) error {
	if m.control.Len() > h1.MaxHead {
		return http2.ConnectionError(http2.ErrCodeEnhanceYourCalm)
	}
	m.work.Signal()
	return write()
}

// submit adds a request to the write queue.
func (m *mux) submit(s *Stream) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil || m.away != nil {
		s.err, s.untouched = errUntouched, true // no other goroutine knows s yet
		return errUntouched
	}
	m.queue = append(m.queue, s)
	m.work.Signal()
	return nil
}

// cancel tells the server that a stream is abandoned. A stream that is not written yet is never written.
func (m *mux) cancel(s *Stream, id uint32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.streams[id] == nil {
		return
	}
	m.forget(s, id)
	_ = m.ctl.WriteRSTStream(id, http2.ErrCodeCancel)
	m.work.Signal()
}

// forget removes a stream from the connection. The caller holds the mutex.
func (m *mux) forget(s *Stream, id uint32) {
	delete(m.streams, id)
	m.halves = slices.DeleteFunc(m.halves, func(h *Stream) bool { return h == s })
}

// grant allows the server to send n more bytes on a stream.
func (m *mux) grant(s *Stream, n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s.took += int64(n)
	_ = m.ctl.WriteWindowUpdate(s.id, uint32(n))
	m.work.Signal()
}

// doubt sends a PING after a request timed out, if no data, or only a part of a header block, has come on the
// connection since the request was sent.
func (m *mux) doubt(since time.Duration) {
	if !m.silent(since) || !m.pinged.CompareAndSwap(0, int64(m.line.o.Now())) {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	_ = m.ctl.WritePing(false, [8]byte{'b', 'r', 'u', 'n', 't'})
	m.work.Signal()
}

// shut closes the connection; the reader handles the rest.
func (m *mux) shut() {
	if m.conn != nil {
		_ = m.conn.Raw.Close()
	}
}

// stop prevents further writes, because the connection has ended with err.
func (m *mux) stop(err error) {
	m.line.gone(m, err) // first, so that no stream is placed on it again
	m.mu.Lock()
	if m.err == nil {
		m.err = err
	}
	queue := m.queue
	m.queue = nil
	m.work.Signal()
	m.mu.Unlock()
	for _, s := range queue {
		s.fail(errUntouched, true)
	}
}

// fail ends every stream of a connection that has ended. Each gets an error of its own.
func (m *mux) fail() {
	m.mu.Lock()
	err, streams := m.err, m.streams
	if m.away != nil {
		err = &goneAway{m.away.code, m.away.text, err}
	}
	m.streams, m.halves = nil, nil
	m.mu.Unlock()
	now := m.line.o.Now()
	for _, s := range streams {
		s.fail(s.lost(err, now), false)
	}
}

// lost returns the error of a stream whose connection has ended with err.
func (s *Stream) lost(err error, now time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.reused || !s.wasSent || s.first != 0 {
		return err
	}
	return targets.Ended(err, s.sent, s.sent-s.heard, now-s.sent)
}

// fail ends a stream. Untouched means that the server never began to process it.
func (s *Stream) fail(err error, untouched bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || s.ended || s.err != nil {
		return
	}
	s.err, s.untouched = err, untouched
	s.flush()
	s.rouse()
}

// goAway stops new streams on the connection, and takes back the streams that the server has not processed (RFC 9113,
// section 6.8).
func (m *mux) goAway(f *http2.GoAwayFrame) {
	away := &goneAway{code: f.ErrCode, text: string(f.DebugData()[:min(len(f.DebugData()), 100)])}
	last := f.LastStreamID
	l := m.line
	l.mu.Lock()
	l.leave(m) // first, so that no stream is placed on it again
	l.serve()
	l.mu.Unlock()
	m.mu.Lock()
	m.away = away
	untouched := m.queue
	m.queue = nil
	for id, s := range m.streams {
		if id > last {
			untouched = append(untouched, s)
			m.forget(s, id)
		}
	}
	m.mu.Unlock()
	for _, s := range untouched {
		s.fail(away, true)
	}
}

// reading2 is the state of the reader.
type reading2 struct {
	mux     *mux
	br      *bufio.Reader
	framer  *http2.Framer
	hpack   *hpack.Decoder
	at      time.Duration // when the last bytes came
	got     int64         // bytes of bodies that are not yet granted back to the server
	touched []*Stream     // streams with new data that are not woken yet
	head    head2
	block   []byte // a header block of several frames
}

func (r *reading2) init(m *mux) {
	r.mux = m
	r.br = bufio.NewReaderSize(r, 16<<10)
	r.framer = http2.NewFramer(io.Discard, r.br)
	r.framer.SetReuseFrames()
	r.framer.SetMaxReadFrameSize(16 << 10)
	r.hpack = hpack.NewDecoder(4096, r.head.field)
	r.hpack.SetMaxStringLength(h1.MaxHead)
}

// Read implements [io.Reader]. It records when the bytes came.
func (r *reading2) Read(b []byte) (int, error) {
	n, err := r.mux.conn.Conn.Read(b)
	r.at = r.mux.line.o.Now()
	r.mux.hears(r.at)
	return n, err
}
