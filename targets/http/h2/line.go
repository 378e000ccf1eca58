package h2

import (
	"context"
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/http/h1"
)

// A Host opens connections to one origin for its [Line].
type Host interface {
	// Connect opens a connection by deadline. With TLS it offers HTTP/2. It records the time in stages.
	Connect(deadline time.Duration, stages *targets.Stages) (*h1.Conn, error)
	// Adopt takes over a connection whose server chose HTTP/1.1.
	Adopt(c *h1.Conn)
	// Drop closes a connection.
	Drop(c *h1.Conn)
	// Speaks counts a connection that speaks HTTP/2.
	Speaks()
	// Go runs f until the client is closed. It returns false if the client is already closed.
	Go(f func()) bool
}

// A Line holds an origin's HTTP/2 connections, and the requests that wait for a stream on one.
// A request gets its place
//
//	at once    on an open connection with a free stream
//	at once    on a connection that is being opened; opening is part of the service time
//	later      at the limit of streams or connections; the wait is queue time
//
// A line opens only as many connections as the limit of streams requires.
type Line struct {
	host   Host
	o      *targets.Options
	over   context.Context // ends with the run
	secure bool

	mu      sync.Mutex
	conns   []*mux    // connections that accept new streams, now or soon; the newest last
	waiting []*Stream // longest first
	allowed int       // streams that the server allowed on the last connection; zero: not known yet
	waits   int64     // how many requests had to wait
	only1   bool      // the server chose HTTP/1.1
}

// Init initializes the line. Over ends with the run; secure means TLS.
func (l *Line) Init(host Host, o *targets.Options, over context.Context, secure bool) {
	l.host, l.o, l.over, l.secure = host, o, over, secure
}

// Streams returns how many requests had to wait for a stream, and the number of streams on a connection; zero means
// no limit or not known.
func (l *Line) Streams() (waits int64, each int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := l.streams(l.allowed); l.waits > 0 && n < unlimited { // otherwise they waited for a connection to open
		return l.waits, n
	}
	return 0, 0
}

// Waiting returns how many requests wait now.
func (l *Line) Waiting() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.waiting {
		if !s.gone {
			n++
		}
	}
	return n
}

// assumed is the number of streams that a connection probably allows, until the server's settings arrive (RFC 9113
// recommends to allow no fewer).
const assumed = 100

// unlimited is the limit for a server that sets none.
const unlimited = 1 << 30

// joinable is how long further requests may join a connection that is being opened. An attempt that takes longer may
// hang on a fault that is already over, so they try another one.
const joinable = time.Second

// ErrHTTP1 means that the server chose HTTP/1.1 in the TLS handshake.
var ErrHTTP1 = errors.New("the server speaks HTTP/1.1")

// join gives s a place, or waits in line for one.
func (l *Line) join(s *Stream) error {
	l.mu.Lock()
	if l.only1 {
		l.mu.Unlock()
		return ErrHTTP1
	}
	if m := l.room(); m != nil { // if there is room, no other request waits
		l.seat(m, s)
	} else {
		l.waiting = append(l.waiting, s)
		l.waits++
	}
	l.mu.Unlock()
	for {
		l.mu.Lock()
		turn, err := s.mux != nil, s.refused
		l.mu.Unlock()
		switch {
		case err != nil:
			return err
		case turn:
			return nil
		}
		select {
		case <-s.wake:
			continue
		case <-s.timer.C:
			err = os.ErrDeadlineExceeded
		case <-l.over.Done():
			err = targets.ErrAborted
		}
		l.giveUp(s)
		return err
	}
}

// room returns a connection with a free place, or opens one. It is nil if there is no room.
func (l *Line) room() *mux {
	now := l.o.Now()
	opens := true
	for i := len(l.conns) - 1; i >= 0; i-- {
		m := l.conns[i]
		switch {
		case m.ready && (l.o.Expired(m.born) || m.active == 0 && (m.mute(now) || m.idle(now, l.o.Connections.MaxIdle.D()))):
			l.leave(m)
		case m.active < m.limit && (m.ready && !m.mute(now) || !m.ready && now-m.began < joinable):
			return m
		case m.ready && m.limit == 0:
			opens = false // another connection would not allow more
		}
	}
	if most := l.o.Connections.Max; !opens || most > 0 && len(l.conns) >= most {
		return nil
	}
	return l.open()
}

// open starts to open a connection. It is nil if the run is over.
func (l *Line) open() *mux {
	m := newMux(l)
	m.limit = l.streams(assumed)
	if l.allowed > 0 {
		m.limit = l.streams(l.allowed)
	}
	if !l.host.Go(m.run) {
		return nil
	}
	l.conns = append(l.conns, m)
	return m
}

// streams returns how many streams a connection carries if its server allows a number of them.
func (l *Line) streams(allowed int) int {
	if !l.o.KeepsAlive() {
		return min(allowed, 1)
	}
	if most := l.o.Connections.MaxStreams; most > 0 {
		return min(allowed, most)
	}
	return allowed
}

// seat gives s a place on m.
func (l *Line) seat(m *mux, s *Stream) {
	m.active++
	s.slot, s.opening = l.o.Now(), scenarios.Opening{}
	if !m.ready {
		m.early = append(m.early, s)
		return
	}
	s.mux = m
	if m.left--; m.left == 0 {
		l.leave(m)
	}
}

// serve gives free places to the requests that have waited longest.
func (l *Line) serve() {
	for {
		s := l.first()
		if s == nil {
			return
		}
		m := l.room()
		if m == nil {
			return
		}
		l.waiting[0] = nil
		l.waiting = l.waiting[1:]
		l.seat(m, s)
		if s.mux != nil {
			s.rouse()
		}
	}
}

// first returns the stream that has waited longest, or nil.
func (l *Line) first() *Stream {
	for len(l.waiting) > 0 && l.waiting[0].gone {
		l.waiting[0] = nil
		l.waiting = l.waiting[1:]
	}
	if len(l.waiting) == 0 {
		return nil
	}
	return l.waiting[0]
}

// giveUp removes s from the line, or frees the place that s got at the last moment.
func (l *Line) giveUp(s *Stream) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.gone = true
	if s.mux != nil {
		l.free(s.mux)
	} else if m := l.earlyOn(s); m != nil {
		s.opening = m.stages.Between(s.slot, l.o.Now())
		m.active--
		m.early = slices.DeleteFunc(m.early, func(e *Stream) bool { return e == s })
	} else {
		s.slot = l.o.Now()
	}
	l.serve()
}

// earlyOn returns the connection that s waits for.
func (l *Line) earlyOn(s *Stream) *mux {
	for _, m := range l.conns {
		if slices.Contains(m.early, s) {
			return m
		}
	}
	return nil
}

// done frees the place of a stream that has ended.
func (l *Line) done(m *mux) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free(m)
	if len(l.waiting) > 0 {
		l.serve()
	}
}

func (l *Line) free(m *mux) {
	m.active--
	if m.active == 0 && (m.leaving || m.mute(l.o.Now())) {
		l.leave(m)
	}
}

// leave makes m accept no more streams. The line closes m when its last stream ends.
func (l *Line) leave(m *mux) {
	m.leaving = true
	l.conns = slices.DeleteFunc(l.conns, func(c *mux) bool { return c == m })
	if m.active == 0 {
		m.shut()
	}
}

// opened puts a connection into use, with the server's limit. Requests that find no place on it go to the front of
// the line.
func (l *Line) opened(m *mux, allowed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.allowed = allowed
	m.ready, m.limit = true, l.streams(allowed)
	if m.left = m.conn.Left; !l.o.KeepsAlive() {
		m.left = 1
	}
	early := m.early
	m.early, m.active = nil, 0
	for i, s := range early {
		if m.leaving || m.active >= m.limit {
			l.waiting = slices.Concat(early[i:], l.waiting)
			l.waits += int64(len(early) - i)
			break
		}
		slot := s.slot // opening belongs to the service time
		l.seat(m, s)
		s.slot, s.opening = slot, m.stages.Between(slot, m.born)
		s.rouse()
	}
	l.serve()
}

// allows changes the limit of a connection.
func (l *Line) allows(m *mux, allowed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.allowed, m.limit = allowed, l.streams(allowed)
	l.serve()
}

// gone removes m, whether it was open or failed to open. Err is the reason for requests that waited for it. If only
// the connection timed out, requests with time left wait for another one.
func (l *Line) gone(m *mux, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m.leaving = true
	l.conns = slices.DeleteFunc(l.conns, func(c *mux) bool { return c == m })
	early := m.early
	m.early = nil
	m.active -= len(early)
	if errors.Is(err, ErrHTTP1) {
		l.only1 = true
		early = slices.Concat(early, l.waiting)
		l.waiting = nil
	}
	var again []*Stream
	for _, s := range early {
		if errors.Is(err, os.ErrDeadlineExceeded) && s.deadline > l.o.Now() {
			again = append(again, s)
			continue
		}
		s.refused, s.opening = err, m.stages.Between(s.slot, l.o.Now())
		s.rouse()
	}
	l.waiting = slices.Concat(again, l.waiting)
	l.serve()
}
