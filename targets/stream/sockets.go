package stream

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/dial"
	"brunt/targets/park"
	"brunt/targets/stream/websocket"

	"github.com/gobwas/ws"
)

// sockets are the connections of a load to one endpoint.
type sockets struct {
	*targets.Pool[*conn]
	client  *client
	tls     *tls.Config // nil: none
	places  *targets.Places[*conn]
	parking func() *park.Lot // creates the lot when the first connection is opened
}

// newSockets creates the connections of a client.
func newSockets(c *client) (s *sockets, err error) {
	if err = dial.Complete(&c.o); err != nil {
		return nil, err
	}
	s = &sockets{client: c}
	if c.secure() {
		if s.tls, err = dial.TLSConfig(c.o.TLS); err != nil {
			return nil, err
		}
		if s.tls.ServerName == "" {
			s.tls.ServerName = c.at.Hostname()
		}
		if c.at.Scheme == "tls" {
			s.tls.NextProtos = nil
		}
	}
	s.Pool = targets.NewPool[*conn](&c.o)
	s.parking = sync.OnceValue(func() *park.Lot { return park.NewLot(s.Over(), s.Go) })
	s.Cut = func(one *conn) {
		_ = one.socket().raw.Close() // TLS might wait for a write
		one.closed()
	}
	s.places = s.To(targets.Connector[*conn]{Dial: s.dial, Ready: s.secure})
	return s, nil
}

// socket returns the socket of a connection that sockets opened.
func (c *conn) socket() *socket { return c.wire.(*socket) }

// address returns the host:port of the endpoint.
func (s *sockets) address() string {
	port := s.client.at.Port()
	switch {
	case port != "":
	case s.tls != nil:
		port = "443"
	default:
		port = "80"
	}
	return net.JoinHostPort(s.client.at.Hostname(), port)
}

// dial opens connection n.
func (s *sockets) dial(ctx context.Context, n uint64) (*conn, error) {
	var raw net.Conn
	var err error
	if s.client.at.Scheme == "udp" {
		raw, err = s.client.o.Network.DialUDP(ctx, s.address(), n)
	} else {
		raw, err = s.client.o.Network.Dial(ctx, s.address(), n)
	}
	if err != nil {
		return nil, err
	}
	sock := &socket{raw: raw, net: raw, o: &s.client.o}
	c := s.client.newConn(sock)
	c.parking, sock.place.Wake, sock.place.Over = s.parking(), c.unparked, c.stopped
	return c, nil
}

// secure makes the TLS handshake, if the endpoint wants one.
func (s *sockets) secure(ctx context.Context, on *conn) error {
	if s.tls == nil {
		return nil
	}
	targets.StagesOf(ctx).Enter(scenarios.InTLS)
	t := tls.Client(on.socket().raw, s.tls)
	if err := t.HandshakeContext(ctx); err != nil {
		return &targets.TLSError{Err: err}
	}
	on.socket().net = t
	return nil
}

// open opens the connection of a stream, or takes an open one with the same key. The handshake counts as the sent
// request, unless a step without a name sends a message: then it belongs to the opening of the connection.
func (s *sockets) open(st *stream, deadline time.Duration, out *scenarios.Outcome) (*conn, error) {
	c, now := st.call, s.client.o.Now
	on, slot, _, err := s.places.Get(deadline, &out.Opening)
	if out.Slot = slot; err != nil {
		return nil, err
	}
	if _, lost := on.fault(); on.key != "" && (c.stream != "" || on.key != st.key || lost != nil) {
		if on, err = s.places.Replace(on, deadline, &out.Opening); err != nil {
			return nil, err
		}
	}
	if on.key != "" {
		return on, nil
	}
	on.prepare(st)
	asks := c.stream == "" && c.send != nil
	began := now()
	sent, first, err := on.socket().shake(st, deadline)
	if err == nil && c.ping > 0 && s.client.o.Emit != nil {
		on.pinger = &pinger{on: on.socket(), every: c.ping}
		on.socket().webSocket.Ponged = on.pinger.answered
	}
	if err == nil {
		err = s.begin(on)
	}
	if err == nil && on.pinger != nil {
		on.pinger.start()
	}
	if asks {
		out.Opening.Login += max(0, now()-began)
	} else if sent > 0 {
		out.Sent, out.WasSent = sent, true
	}
	if err != nil {
		s.places.Put(on, false)
		return nil, err
	}
	if !asks {
		out.First, out.End, out.Answered = first, max(first, slot), true
	}
	return on, nil
}

// begin starts to read a connection. A connection that is read slowly on purpose always has a reader.
func (s *sockets) begin(on *conn) error {
	r := &on.socket().reading
	r.parks, r.Last = on.every == 0, s.client.o.Now()
	if !r.parks || !r.Plain { // otherwise TLS may hold unread data
		return on.startReader()
	}
	return on.begin()
}

// put returns a connection, for reuse if keep is true.
func (s *sockets) put(on *conn, keep bool) { s.places.Put(on, keep) }

// shake makes the handshake of a stream.
func (s *socket) shake(st *stream, deadline time.Duration) (sent, first time.Duration, err error) {
	defer scenarios.Recover(&err)
	if st.call.kind != kindWS {
		s.framing = &st.call.framing
		s.use(nil)
		sent = s.o.Now()
		return sent, sent, nil
	}
	_ = s.net.SetDeadline(s.o.T0.Add(deadline))
	stamped := targets.Stamp(s.net, s.o.Now)
	br, compressed, err := st.with.shake(stamped, st.call, s.o.Agent)
	if br != nil {
		defer ws.PutReader(br)
	}
	if sent, first = stamped.Times(); err != nil {
		return sent, first, err
	}
	if s.o.Now() > deadline {
		return sent, first, os.ErrDeadlineExceeded
	}
	_ = s.net.SetDeadline(time.Time{})
	s.webSocket = &websocket.Reader{Compressed: compressed}
	s.use(br)
	return sent, first, nil
}
