package http2

import (
	"encoding/binary"
	"slices"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Conn is one connection that a proxy relays. Only one goroutine at a time may call its methods.
type Conn struct {
	// Begin is called when the header of a request has arrived. It may set Answer, Hold, Asks, Says and About of the
	// stream.
	Begin func(*Stream)
	// Body is called after n more bytes of a request's body.
	Body func(s *Stream, n int)

	begun     bool      // the client's preface has arrived
	settled   bool      // the server's settings have arrived: before them nothing may reach the client
	up, down  direction // to the upstream, to the client
	byClient  map[uint32]*Stream
	byServer  map[uint32]*Stream
	last      uint32 // number of the client's last stream
	nextUp    uint32
	heldBytes int
}

// A Stream is a request of a connection, and its answer.
type Stream struct {
	Method, Path string // the path is as in the request, without its query
	GRPC         bool   // it calls a method of gRPC

	Answer *Answer         // replaces the upstream's; nil leaves that
	Hold   bool            // hold the request until Release
	Asks   Revision        // changes to the request
	Says   func() Revision // returns the changes to the answer, when it begins; nil changes nothing
	About  any             // any value that Begin keeps with the stream

	client, server uint32 // stream numbers; server is zero until the stream is opened there
	fields         []hpack.HeaderField
	held           []frame // frames after the header; whole header blocks replace their frames
	trailers       []hpack.HeaderField
	bare           bool                           // the request has only a header
	asked          bool                           // the request is complete
	said           bool                           // the answer is complete
	began          bool                           // the answer has begun, not counting interim ones
	answered       bool                           // the proxy has answered
	mute           struct{ request, answer bool } // bodies that are dropped, because others were sent instead
}

// NewConn returns a connection before its first byte.
func NewConn() *Conn {
	c := &Conn{byClient: map[uint32]*Stream{}, byServer: map[uint32]*Stream{}, nextUp: 1}
	c.up.init()
	c.down.init()
	return c
}

// Take returns the bytes to send to the upstream and to the client.
func (c *Conn) Take() (up, down []byte) {
	up, c.up.out = c.up.out, nil
	if c.settled {
		down, c.down.out = c.down.out, nil
	}
	return up, down
}

// Held returns the number of bytes of requests that wait for their release.
func (c *Conn) Held() int { return c.heldBytes }

// FromClient processes bytes of the client. After an error the connection can't continue.
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

// FromServer processes bytes of the upstream. After an error the connection can't continue.
func (c *Conn) FromServer(b []byte) error {
	c.down.in = append(c.down.in, b...)
	return c.down.each(c.fromServer)
}

// each calls take for each whole frame that has arrived.
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

// fromClient processes a frame of the client.
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

// fromServer processes a frame of the upstream.
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

// window passes on a window update: its receiver accepts more bytes. own leads to that receiver, other to the sender,
// which knows the stream s by number.
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
	case s.server == 0: // the stream is not opened there yet
		s.held = append(s.held, frame{kind: f.kind, payload: slices.Clone(f.payload)})
	default:
		other.send(f, number)
	}
	return nil
}

// swallowed returns bytes that the proxy dropped to the window of their sender. own leads to their intended receiver:
// the proxy's own bytes there count against them.
func swallowed(sender, own *direction, n int) { credit(sender, 0, int(own.pay(uint32(n), 0))) }

// credit adds n bytes to a sender's window of a stream, or of the connection.
func credit(to *direction, stream uint32, n int) {
	if n > 0 {
		to.send(ofNumber(http2.FrameWindowUpdate, stream, uint32(n)), stream)
	}
}

// asks processes a header block of the client.
func (c *Conn) asks(head frame, fields []hpack.HeaderField) error {
	if s := c.byClient[head.stream]; s != nil {
		c.trailed(s, fields)
		return nil
	}
	switch {
	case head.stream%2 == 0:
		return errNotHTTP2
	case head.stream <= c.last: // the stream has ended meanwhile
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

// trailed processes the trailers of a request, which end it.
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

// asksMore processes a part of the body of a request.
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

// Release lets a held request pass.
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
		if c.byClient[s.client] != s { // it was answered meanwhile
			swallowed(&c.down, &c.up, len(f.payload))
			continue
		}
		c.asksMore(s, f)
	}
	if s.trailers != nil && c.byClient[s.client] == s {
		c.trailed(s, s.trailers)
	}
}

// answer sends the proxy's own answer. It resets an incomplete request, since its rest is not read.
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

// cancel passes on that the client has cancelled a request.
func (c *Conn) cancel(s *Stream, f frame) {
	if s.server != 0 {
		c.up.send(f, s.server)
	}
	c.abandon(s)
}

// abandon forgets a stream and its held frames.
func (c *Conn) abandon(s *Stream) {
	for _, h := range s.held {
		if h.kind == http2.FrameData {
			c.heldBytes -= len(h.payload)
			swallowed(&c.down, &c.up, len(h.payload))
		}
	}
	c.drop(s)
}

// says processes a header block of an answer.
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

// saidAll notes that the answer is complete, if ends is set.
func (c *Conn) saidAll(s *Stream, ends bool) {
	s.said = s.said || ends
	c.endIf(s)
}

// endIf forgets a stream if both sides have ended it.
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

// Leave tells the client to open no more streams. Open streams continue, and so do those that it opens before it is
// told.
func (c *Conn) Leave() {
	c.down.send(frame{kind: http2.FrameGoAway, payload: binary.BigEndian.AppendUint64(nil, (1<<31-1)<<32)}, 0)
}

// Busy reports whether a stream is open.
func (c *Conn) Busy() bool { return len(c.byClient) > 0 }

// goAway passes on which streams the upstream will not process, with the client's numbers. The client assumes that all
// streams up to the last number are processed, so those that are not are refused one by one.
func (c *Conn) goAway(f frame) error {
	if len(f.payload) < 8 {
		return errNotHTTP2
	}
	last := binary.BigEndian.Uint32(f.payload) & (1<<31 - 1)
	if last == 1<<31-1 { // it only announces the end
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
