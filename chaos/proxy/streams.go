package proxy

import (
	"net/url"
	"slices"
	"time"

	"brunt/chaos/proxy/codec/http2"
	"brunt/chaos/proxy/codec/query"
)

// A StreamEffect is the effect of a toxic on requests of HTTP/2. Each request is a stream, which can be held while
// later ones pass.
type StreamEffect struct {
	RequestFilter
	Answer *http2.Answer                        // answers the selected requests; nil leaves them to the upstream
	Delay  func(fraction float64) time.Duration // how long to hold a request, by a number from 0 to 1; nil: not at all
}

// streams are the requests of a link that speaks HTTP/2. The exchange's lock guards them.
type streams struct {
	x     *exchange
	conn  *http2.Conn
	wrong error           // why the bytes are not HTTP/2; nil: they are
	held  map[*waits]bool // requests that wait
}

// waits is a request that waits for its delays.
type waits struct {
	stream *http2.Stream
	delays []delay
	came   time.Time
	timer  *time.Timer
}

// A delay is the delay of one toxic.
type delay struct {
	x *toxicity
	d time.Duration
}

func newStreams(x *exchange) *streams {
	s := &streams{x: x, conn: http2.NewConn(), held: map[*waits]bool{}}
	s.conn.Begin, s.conn.Body = s.begin, s.body
	return s
}

// feed processes bytes that a flow has read.
func (s *streams) feed(dir Direction, b []byte) {
	if s.wrong != nil {
		return
	}
	if dir == Forward {
		s.wrong = s.conn.FromClient(b)
	} else {
		s.wrong = s.conn.FromServer(b)
	}
	s.flush()
}

// flush passes on the bytes that the connection has to send.
func (s *streams) flush() {
	up, down := s.conn.Take()
	if len(up) > 0 {
		s.x.l.forward.feed(Item{Bytes: up})
	}
	if len(down) > 0 {
		s.x.l.back.feed(Item{Bytes: down})
	}
	s.x.waiting.Store(int64(s.conn.Held()))
}

// begin decides whether a request is held, answered or passed on.
func (s *streams) begin(c *http2.Stream) {
	r := &request{x: s.x, method: c.Method, path: c.Path, grpc: c.GRPC}
	if plain, err := url.PathUnescape(c.Path); err == nil {
		r.path = plain
	}
	s.x.begin(r)
	c.About = r
	if len(r.edits) > 0 {
		c.Asks = http2.Revise(r.requestDrafts())
		c.Says = func() http2.Revision { return http2.Revise(r.answerDrafts()) }
	}
	var delays []delay
	for _, e := range s.x.l.streamEffects() {
		if c.Answer != nil || !e.selects(r) {
			continue
		}
		if c.Answer = e.Answer; c.Answer != nil && !s.x.l.isProbe() {
			s.x.l.p.stats.hit.Add(1)
		}
		if e.Delay != nil {
			delays = append(delays, delay{e.m.x, e.Delay(e.fraction(r))})
		}
	}
	if c.Hold = len(delays) > 0; c.Hold {
		w := &waits{stream: c, delays: delays, came: time.Now()}
		s.held[w] = true
		w.timer = time.AfterFunc(w.left(), func() { s.due(w) })
	}
}

// left returns how long a request still waits.
func (w *waits) left() time.Duration {
	var all time.Duration
	for _, d := range w.delays {
		all += d.d
	}
	return time.Until(w.came.Add(all))
}

// body counts more bytes of a request.
func (s *streams) body(c *http2.Stream, n int) {
	c.About.(*request).count(n)
}

// due lets a request pass whose delays are over.
func (s *streams) due(w *waits) {
	s.x.with(func() { s.release(w) }, s.x.l.forward)
	s.x.l.forward.kick(false)
}

// release lets a request pass.
func (s *streams) release(w *waits) {
	if !s.held[w] || s.wrong != nil {
		return
	}
	delete(s.held, w)
	w.timer.Stop()
	s.conn.Release(w.stream)
	full := s.x.full()
	if s.flush(); full && !s.x.full() {
		s.x.l.forward.nudge()
	}
}

// lift lets the requests pass that wait only for a toxic which is removed.
func (x *exchange) lift(off *toxicity) {
	x.with(func() {
		if x.streams != nil {
			x.streams.lift(off)
		}
	}, x.l.forward)
	x.l.forward.kick(false)
}

// end stops all delays: the link has ended.
func (x *exchange) end() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.streams != nil {
		x.streams.end()
	}
}

// lift takes the delays of a toxic off the requests that wait.
func (s *streams) lift(x *toxicity) {
	for w := range s.held {
		n := len(w.delays)
		w.delays = slices.DeleteFunc(w.delays, func(d delay) bool { return d.x == x })
		switch {
		case len(w.delays) == n:
		case w.left() <= 0:
			s.release(w)
		default:
			w.timer.Reset(w.left())
		}
	}
}

// end stops all timers: the link has ended.
func (s *streams) end() {
	for w := range s.held {
		w.timer.Stop()
	}
	clear(s.held)
}

// begin gives a request its number, counts it, and finds the editors that select it.
func (x *exchange) begin(r *request) {
	if p := x.l.p; x.l.isProbe() {
		r.n = p.probesRequests.Add(1) - 1
	} else {
		r.n = p.requests.Add(1) - 1
		p.stats.passed.Add(1)
	}
	for _, e := range x.l.editors() {
		if e.selects(r) {
			r.edits = append(r.edits, e)
		}
	}
}

// count counts more bytes of the request.
func (r *request) count(n int) {
	for _, f := range r.filters {
		f.count(n, false, false)
	}
}

// version is the protocol that a link is known to speak.
type version uint8

const (
	unknown version = iota
	speaks1         // HTTP/1.x, or bytes that pass unparsed
	speaks2
	speaksQueries
)

// recognize tells the protocol from the first bytes: HTTP/2 from the preface of a client or the settings of a server,
// and the protocols of package query from the first bytes of their client or server. It keeps the bytes until the
// protocol is certain. Then it returns the bytes to parse, by direction.
func (x *exchange) recognize(dir Direction, b []byte, over bool) {
	at := &x.early[dir-Forward]
	*at = append(*at, b...)
	if x.version == unknown {
		maybe, certain := http2.IsSettings(*at)
		var codec query.Codec
		if dir == Forward {
			n := min(len(*at), len(http2.Preface))
			maybe, certain = string((*at)[:n]) == http2.Preface[:n], n == len(http2.Preface)
		}
		if dir == Forward && !maybe {
			codec, maybe = query.Recognize(*at)
		}
		if dir == Back && !maybe {
			codec, maybe = query.Greets(*at)
		}
		switch {
		case codec != nil:
			x.version, x.queries = speaksQueries, &queries{x: x, codec: codec}
		case !maybe || over:
			x.version = speaks1
		case certain:
			x.version, x.streams = speaks2, newStreams(x)
		default:
			return
		}
	}
	early := x.early
	x.early = [2][]byte{}
	for i, b := range early {
		if len(b) > 0 {
			x.parse(Forward+Direction(i), b)
		}
	}
}

// parse parses bytes of a link whose version is known.
func (x *exchange) parse(dir Direction, b []byte) {
	switch {
	case x.version == speaksQueries:
		x.queries.feed(dir, b)
	case x.version == speaks2:
		x.streams.feed(dir, b)
	case dir == Forward:
		x.requests.Feed(b)
	default:
		x.responses.Feed(b)
	}
}
