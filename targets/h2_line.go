package targets

import (
	"errors"
	"os"
	"slices"
	"sync"
	"time"
)

// line is an origin's HTTP/2 connections, and who waits for a stream on one.
//
//	join -> a place on a connection that is open           (slot: now)
//	     -> a place on one that is being opened            (slot: now; opening belongs to the service time)
//	     -> in line, at the limit of streams or connections (slot: when a place is free)
//
// There are as few connections as the limit of streams needs.
type line struct {
	mu      sync.Mutex
	conns   []*mux    // that take new streams, or will; the newest last
	waiting []*stream // longest first
	told    int       // streams that the server allowed on the last connection; zero is not known yet
	waits   int64     // places that somebody had to wait for
}

// assumed is how many streams a connection is taken to carry before the server has
// said it (RFC 9113 recommends to allow no fewer).
const assumed = 100

// unlimited is what a server allows that sets no limit.
const unlimited = 1 << 30

// joinable is how long further requests wait for a connection that is being opened.
// One that takes longer may hang in what is over by now, so that they try another.
const joinable = time.Second

var errOnly1 = errors.New("the server speaks HTTP/1.1")

// join gives s a place or puts it in line, and waits for its turn.
func (p *pool) join(o *origin, s *stream) error {
	l := &o.line
	l.mu.Lock()
	if m := l.room(p, o); m != nil { // then nobody waits
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
		case <-p.over.Done():
			err = errAborted
		}
		l.giveUp(p, o, s)
		return err
	}
}

// room finds a connection with a free place, or opens one; nil is none.
func (l *line) room(p *pool, o *origin) *mux {
	now := p.now()
	opens := true
	for i := len(l.conns) - 1; i >= 0; i-- {
		m := l.conns[i]
		switch {
		case m.ready && (p.old(m.born) || m.active == 0 && m.mute(now)):
			l.leave(m)
		case m.active < m.limit && (m.ready && !m.mute(now) || !m.ready && now-m.began < joinable):
			return m
		case m.ready && m.limit == 0:
			opens = false // another one would allow no more
		}
	}
	if most := p.o.Connections.Max; !opens || most > 0 && len(l.conns) >= most {
		return nil
	}
	return l.open(p, o)
}

// open begins to open a connection; nil is that the run is over.
func (l *line) open(p *pool, o *origin) *mux {
	m := newMux(p, o)
	m.limit = p.streams(assumed)
	if l.told > 0 {
		m.limit = p.streams(l.told)
	}
	if !p.goes(m.run) {
		return nil
	}
	l.conns = append(l.conns, m)
	return m
}

// streams is how many streams a connection carries where its server allows so many.
func (p *pool) streams(allowed int) int {
	if !p.keeps() {
		return min(allowed, 1)
	}
	if most := p.o.Connections.MaxStreams; most > 0 {
		return min(allowed, most)
	}
	return allowed
}

// keeps tells whether connections are kept for further requests.
func (p *pool) keeps() bool { return p.o.Connections.KeepAlive == nil || *p.o.Connections.KeepAlive }

// seat gives s a place on m.
func (l *line) seat(m *mux, s *stream) {
	m.active++
	s.slot = m.pool.now()
	if !m.ready {
		m.early = append(m.early, s)
		return
	}
	s.mux = m
	if m.left--; m.left == 0 {
		l.leave(m)
	}
}

// serve gives free places to those who have waited longest.
func (l *line) serve(p *pool, o *origin) {
	for {
		s := l.first()
		if s == nil {
			return
		}
		m := l.room(p, o)
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

// first is the one who has waited longest and still does.
func (l *line) first() *stream {
	for len(l.waiting) > 0 && l.waiting[0].gone {
		l.waiting[0] = nil
		l.waiting = l.waiting[1:]
	}
	if len(l.waiting) == 0 {
		return nil
	}
	return l.waiting[0]
}

// giveUp takes s out of the line, or frees the place that it was given at the last
// moment.
func (l *line) giveUp(p *pool, o *origin, s *stream) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.gone = true
	if s.mux != nil {
		l.free(s.mux)
	} else if m := l.earlyOn(s); m != nil {
		m.active--
		m.early = slices.DeleteFunc(m.early, func(e *stream) bool { return e == s })
	} else {
		s.slot = p.now()
	}
	l.serve(p, o)
}

// earlyOn is the connection that s waits for.
func (l *line) earlyOn(s *stream) *mux {
	for _, m := range l.conns {
		if slices.Contains(m.early, s) {
			return m
		}
	}
	return nil
}

// done frees the place of a stream that is over.
func (l *line) done(m *mux) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.free(m)
	if len(l.waiting) > 0 {
		l.serve(m.pool, m.origin)
	}
}

func (l *line) free(m *mux) {
	m.active--
	if m.active == 0 && (m.leaving || m.mute(m.pool.now())) {
		l.leave(m)
	}
}

// leave makes m take no more streams. It is closed when its last one is over.
func (l *line) leave(m *mux) {
	m.leaving = true
	l.conns = slices.DeleteFunc(l.conns, func(c *mux) bool { return c == m })
	if m.active == 0 {
		m.shut()
	}
}

// opened takes a connection into use, with the limit that its server told. Those for
// whom it has no place are the first in line.
func (l *line) opened(m *mux, allowed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = allowed
	m.ready, m.limit = true, m.pool.streams(allowed)
	if m.left = m.conn.left; !m.pool.keeps() {
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
		l.seat(m, s)
		s.rouse()
	}
	l.serve(m.pool, m.origin)
}

// allows changes the limit of a connection.
func (l *line) allows(m *mux, allowed int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told, m.limit = allowed, m.pool.streams(allowed)
	l.serve(m.pool, m.origin)
}

// gone notes that m takes no more streams, whether it was open or never came to be.
// Err is why those who waited for it have no place; those whose time is not up yet
// wait for another when it was only the connection's that was.
func (l *line) gone(m *mux, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m.leaving = true
	l.conns = slices.DeleteFunc(l.conns, func(c *mux) bool { return c == m })
	early := m.early
	m.early = nil
	m.active -= len(early)
	if errors.Is(err, errOnly1) {
		early = slices.Concat(early, l.waiting)
		l.waiting = nil
	}
	var again []*stream
	for _, s := range early {
		if errors.Is(err, os.ErrDeadlineExceeded) && s.deadline > m.pool.now() {
			again = append(again, s)
			continue
		}
		s.refused = err
		s.rouse()
	}
	l.waiting = slices.Concat(again, l.waiting)
	l.serve(m.pool, m.origin)
}
