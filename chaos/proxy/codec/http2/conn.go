package http2

import (
	"encoding/binary"
	"slices"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Conn is one connection on its way through a proxy. Its methods are for one goroutine at a time.
type Conn struct {
	// Begin is told of a request when its header has come. It may set what becomes of it.
	Begin func(*Stream)
	// Body is told of n more bytes of a request.
	Body func(s *Stream, n int)

	begun     bool      // the client's preface has come
	settled   bool      // the server's first frame, its settings, has come: nothing may reach the client before it
	up, down  direction // to the upstream, to the client
	byClient  map[uint32]*Stream
	byServer  map[uint32]*Stream
	last      uint32 // number of the client's last stream
	nextUp    uint32
	heldBytes int
}

// A Stream is a request of a connection, and its answer.
type Stream struct {
	Method, Path string // the path as it stands in the request, without its query
	GRPC         bool   // it calls a method of gRPC

	Answer *Answer         // in place of the upstream's; nil is none
	Hold   bool            // until Release
	Asks   Revision        // of the request
	Says   func() Revision // of the answer, when it begins; nil is none
	About  any             // whatever Begin keeps with it

	client, server uint32 // numbers; server is zero until it was opened there
	fields         []hpack.HeaderField
	held           []frame // what came after the header, with whole header blocks in place of their frames
	trailers       []hpack.HeaderField
	bare           bool                           // the request is a header alone
	asked          bool                           // the request is whole
	said           bool                           // the answer is whole
	began          bool                           // the answer has begun, interim ones not counted
	answered       bool                           // by the proxy
	mute           struct{ request, answer bool } // bodies that are dropped, because others were sent in their place
}

// NewConn returns a connection of which no byte has come.
func NewConn() *Conn {
	c := &Conn{byClient: map[uint32]*Stream{}, byServer: map[uint32]*Stream{}, nextUp: 1}
	c.up.init()
	c.down.init()
	return c
}

// Take returns what is to be sent to the upstream and to the client.
func (c *Conn) Take() (up, down []byte) {
	up, c.up.out = c.up.out, nil
	if c.settled {
		down, c.down.out = c.down.out, nil
	}
	return up, down
}

// Held returns how many bytes of requests wait for their release.
func (c *Conn) Held() int { return c.heldBytes }

// FromClient takes bytes of the client. After an error the connection can't go on.
func (c *Conn) FromClient(b []byte) error {
	w := &c.up
	w.in = append(w.in, b...)
	if !c.begun {
		n := min(len(w.in), len(Preface))
		if string(w.in[:n]) != Preface[:n] {
			return errNotHTTP2
		}
		if n < len(Preface) {
			return nil
		}
		c.begun = true
		w.out = append(w.out, Preface...)
		w.in = w.in[n:]
	}
	return w.each(c.fromClient)
}

// FromServer takes bytes of the upstream. After an error the connection can't go on.
func (c *Conn) FromServer(b []byte) error {
	c.down.in = append(c.down.in, b...)
	return c.down.each(c.fromServer)
}

// each calls take for each whole frame of what has come.
func (w *direction) each(take func(frame) error) error {
	rest := w.in
	for {
		f, n, err := next(rest)
		if err == nil && n > 0 && w.within != (f.kind == http2.FrameContinuation) {
			err = errNotHTTP2
		}
		if err == nil && n > 0 {
			err = take(f)
		}
		if err != nil {
			return err
		}
		if n == 0 {
			w.in = append(w.in[:0], rest...)
			return nil
		}
		rest = rest[n:]
	}
}

// fromClient takes a frame of the client.
func (c *Conn) fromClient(f frame) error {
	s := c.byClient[f.stream]
	switch f.kind {
	case http2.FrameHeaders, http2.FrameContinuation:
		done, err := c.up.header(f)
		if err != nil || !done {
			return err
		}
		return c.asks(c.up.head, c.up.fields)
	case http2.FrameData:
		c.asksMore(s, f)
	case http2.FrameRSTStream:
		if s != nil {
			c.cancel(s, f)
		}
	case http2.FrameWindowUpdate:
		var server uint32
		if s != nil {
			server = s.server
		}
		return window(f, &c.down, &c.up, s, server)
	case http2.FrameSettings:
		return pass(f, &c.up, true)
	case http2.FramePing, http2.FrameGoAway:
		c.up.send(f, 0)
	}
	return nil
}

// fromServer takes a frame of the upstream.
func (c *Conn) fromServer(f frame) error {
	if !c.settled {
		if f.kind != http2.FrameSettings || f.has(http2.FlagSettingsAck) {
			return errNotHTTP2
		}
		c.settled = true
		own := c.down.out
		c.down.out = nil
		err := pass(f, &c.down, false)
		c.down.out = append(c.down.out, own...)
		return err
	}
	s := c.byServer[f.stream]
	switch f.kind {
	case http2.FrameHeaders, http2.FrameContinuation:
		done, err := c.down.header(f)
		if err == nil && done {
			if s = c.byServer[c.down.head.stream]; s != nil {
				c.says(s, c.down.fields, c.down.head.ends())
			}
		}
		return err
	case http2.FrameData:
		switch {
		case s == nil:
			swallowed(&c.up, &c.down, len(f.payload))
		case s.mute.answer:
			swallowed(&c.up, &c.down, len(f.payload))
			credit(&c.up, s.server, len(f.payload))
			c.saidAll(s, f.ends())
		default:
			c.down.send(f, s.client)
			c.saidAll(s, f.ends())
		}
	case http2.FrameRSTStream:
		if s != nil {
			c.down.send(f, s.client)
			c.drop(s)
		}
	case http2.FrameWindowUpdate:
		var client uint32
		if s != nil {
			client = s.client
		}
		return window(f, &c.up, &c.down, s, client)
	case http2.FrameSettings:
		return pass(f, &c.down, false)
	case http2.FramePing:
		c.down.send(f, 0)
	case http2.FrameGoAway:
		return c.goAway(f)
	case http2.FramePushPromise:
		return errNotHTTP2
	}
	return nil
}

// pass passes settings on.
func pass(f frame, to *direction, fromClient bool) error {
	f, err := f.settings(fromClient)
	if err == nil {
		to.send(f, 0)
	}
	return err
}

// window passes on that a receiver takes more bytes. Own leads to that receiver, other to the sender, which
// knows the stream s by a number.
func window(f frame, own, other *direction, s *Stream, number uint32) error {
	n, err := f.number()
	if err != nil {
		return err
	}
	switch {
	case f.stream == 0:
		least := int64(0)
		if n >= generous {
			least = -reserve
		}
		credit(other, 0, int(own.pay(n, least)))
	case s == nil || s.answered:
	case s.server == 0: // its opening waits
		s.held = append(s.held, frame{kind: f.kind, payload: slices.Clone(f.payload)})
	default:
		other.send(f, number)
	}
	return nil
}

// swallowed gives bytes that the proxy has swallowed back to the window of their sender. Own leads to who should have
// had them: what the proxy sent there by itself has taken their place.
func swallowed(sender, own *direction, n int) { credit(sender, 0, int(own.pay(uint32(n), 0))) }

// credit gives a sender bytes of the window of a stream, or of the connection.
func credit(to *direction, stream uint32, n int) {
	if n > 0 {
		to.send(ofNumber(http2.FrameWindowUpdate, stream, uint32(n)), stream)
	}
}

// asks takes a header block of the client.
func (c *Conn) asks(head frame, fields []hpack.HeaderField) error {
	if s := c.byClient[head.stream]; s != nil {
		c.trailed(s, fields)
		return nil
	}
	switch {
	case head.stream%2 == 0:
		return errNotHTTP2
	case head.stream <= c.last: // it has ended meanwhile
		return nil
	}
	c.last = head.stream
	s := &Stream{client: head.stream, fields: fields, bare: head.ends(), asked: head.ends()}
	for _, f := range fields {
		switch f.Name {
		case ":method":
			s.Method = f.Value
		case ":path":
			s.Path, _, _ = strings.Cut(f.Value, "?")
		case "content-type":
			s.GRPC = strings.HasPrefix(f.Value, "application/grpc")
		}
	}
	c.byClient[s.client] = s
	if c.Begin(s); !s.Hold {
		c.start(s)
	}
	return nil
}

// start opens a stream at the upstream, or begins to answer it.
func (c *Conn) start(s *Stream) {
	if s.Answer != nil {
		s.answered = true
		if s.bare || s.Answer.Early {
			c.answer(s)
		}
		return
	}
	s.server = c.nextUp
	c.nextUp += 2
	c.byServer[s.server] = s
	c.up.sendHead(s.server, s.Asks.revise(s.fields),
		s.bare && s.Asks.body() == "" || s.Asks.Body != nil && *s.Asks.Body == "")
	if body := s.Asks.Body; body != nil {
		if s.mute.request = true; *body != "" {
			c.up.sendBody(s.server, *body)
		}
	}
	s.fields = nil
}

// trailed takes the trailers of a request, which end it.
func (c *Conn) trailed(s *Stream, fields []hpack.HeaderField) {
	s.asked = true
	switch {
	case s.Hold:
		s.trailers = fields
	case s.answered:
		c.answer(s)
	default:
		if !s.mute.request {
			c.up.sendHead(s.server, fields, true)
		}
		c.endIf(s)
	}
}

// asksMore takes a part of the body of a request.
func (c *Conn) asksMore(s *Stream, f frame) {
	n := len(f.payload)
	if s == nil {
		swallowed(&c.down, &c.up, n)
		return
	}
	if c.Body != nil && !s.Hold {
		c.Body(s, n)
	}
	s.asked = s.asked || f.ends()
	switch {
	case s.Hold:
		f.payload = slices.Clone(f.payload)
		s.held = append(s.held, f)
		c.heldBytes += n
		return
	case s.answered, s.mute.request:
		swallowed(&c.down, &c.up, n)
		if !s.asked {
			credit(&c.down, s.client, n)
		} else if s.answered {
			c.answer(s)
			return
		}
	default:
		c.up.send(f, s.server)
	}
	c.endIf(s)
}

// Release lets a request go on that was held.
func (c *Conn) Release(s *Stream) {
	if !s.Hold || c.byClient[s.client] != s {
		return
	}
	s.Hold = false
	held := s.held
	s.held = nil
	c.start(s)
	for _, f := range held {
		if f.kind == http2.FrameWindowUpdate {
			if s.server != 0 {
				c.up.send(f, s.server)
			}
			continue
		}
		c.heldBytes -= len(f.payload)
		if c.byClient[s.client] != s { // it was answered
			swallowed(&c.down, &c.up, len(f.payload))
			continue
		}
		c.asksMore(s, f)
	}
	if s.trailers != nil && c.byClient[s.client] == s {
		c.trailed(s, s.trailers)
	}
}

// answer sends the proxy's own answer. A request that is not whole is reset, since its rest is not read.
func (c *Conn) answer(s *Stream) {
	body := s.Answer.Body
	if s.Method == "HEAD" {
		body = ""
	}
	if c.down.sendHead(s.client, s.Answer.Fields, body == ""); body != "" {
		c.down.sendBody(s.client, body)
	}
	if !s.asked {
		c.down.send(ofNumber(http2.FrameRSTStream, s.client, uint32(http2.ErrCodeNo)), s.client)
	}
	c.drop(s)
}

// cancel passes on that the client has given a request up.
func (c *Conn) cancel(s *Stream, f frame) {
	if s.server != 0 {
		c.up.send(f, s.server)
	}
	c.abandon(s)
}

// abandon forgets a stream with what it holds.
func (c *Conn) abandon(s *Stream) {
	for _, h := range s.held {
		if h.kind == http2.FrameData {
			c.heldBytes -= len(h.payload)
			swallowed(&c.down, &c.up, len(h.payload))
		}
	}
	c.drop(s)
}

// says takes a header block of an answer.
func (c *Conn) says(s *Stream, fields []hpack.HeaderField, ends bool) {
	interim := len(fields) > 0 && fields[0].Name == ":status" && strings.HasPrefix(fields[0].Value, "1")
	switch {
	case s.began: // trailers
		if !s.mute.answer {
			c.down.sendHead(s.client, fields, ends)
		}
	case interim || s.Says == nil:
		c.down.sendHead(s.client, fields, ends)
	default:
		r := s.Says()
		bodiless := s.Method == "HEAD" || r.empties(fields)
		if bodiless && r.Body != nil {
			r.Body = new(string)
		}
		c.down.sendHead(s.client, r.revise(fields), ends && r.body() == "" || r.Body != nil && *r.Body == "")
		if r.Body != nil {
			s.mute.answer = true
			if *r.Body != "" {
				c.down.sendBody(s.client, *r.Body)
			}
		}
	}
	s.began = s.began || !interim
	c.saidAll(s, ends)
}

// saidAll notes that the answer is whole, if it is.
func (c *Conn) saidAll(s *Stream, ends bool) {
	s.said = s.said || ends
	c.endIf(s)
}

// endIf forgets a stream that both sides have ended.
func (c *Conn) endIf(s *Stream) {
	if s.asked && s.said {
		c.drop(s)
	}
}

func (c *Conn) drop(s *Stream) {
	delete(c.byClient, s.client)
	if s.server != 0 {
		delete(c.byServer, s.server)
	}
}

// Leave tells the client to open no more streams. Those that are open, and those that it opened before it was told, go
// on.
func (c *Conn) Leave() {
	c.down.send(frame{kind: http2.FrameGoAway, payload: binary.BigEndian.AppendUint64(nil, (1<<31-1)<<32)}, 0)
}

// Busy reports whether a stream is open.
func (c *Conn) Busy() bool { return len(c.byClient) > 0 }

// goAway passes on which streams the upstream will not process, under the client's numbers. The client takes all up to
// the last for processed, so that those among them that are not are refused one by one.
func (c *Conn) goAway(f frame) error {
	if len(f.payload) < 8 {
		return errNotHTTP2
	}
	last := binary.BigEndian.Uint32(f.payload) & (1<<31 - 1)
	if last == 1<<31-1 { // only an announcement
		c.down.send(f, 0)
		return nil
	}
	var processed uint32
	var lost []*Stream
	for id, s := range c.byClient {
		switch {
		case s.server != 0 && s.server <= last:
			processed = max(processed, id)
		case !s.answered:
			lost = append(lost, s)
		}
	}
	if len(lost) == 0 {
		processed = c.last
	}
	f.payload = append(binary.BigEndian.AppendUint32(nil, processed), f.payload[4:]...)
	c.down.send(f, 0)
	for _, s := range lost {
		if s.client < processed {
			c.down.send(ofNumber(http2.FrameRSTStream, s.client, uint32(http2.ErrCodeRefusedStream)), s.client)
		}
		c.abandon(s)
	}
	return nil
}
