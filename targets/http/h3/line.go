package h3

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/http/h1"

	"github.com/quic-go/quic-go"
)

// Connections are the HTTP/3 connections of a client.
type Connections struct {
	*targets.Pool[*place]
	o       *targets.Options
	net     targets.Network
	places  targets.Options // of the pool, whose items are places on connections
	streams int             // at once on a connection
	begun   atomic.Uint64   // connections that were begun
	opened  atomic.Int64
	waits   atomic.Int64 // requests that waited until the server allowed another stream
}

// assumed is the number of requests at once on a connection, unless the load sets another. RFC 9114 recommends that
// servers allow as many.
const assumed = 100

// New creates the connections of a client, which opens them with a network.
func New(o *targets.Options, by targets.Network) *Connections {
	c := &Connections{o: o, net: by, places: *o, streams: assumed}
	k := &c.places.Connections
	if k.MaxStreams > 0 {
		c.streams = k.MaxStreams
	}
	if !o.KeepsAlive() {
		c.streams = 1
	}
	k.Max *= c.streams
	k.MaxAge, k.Reuse = 0, scenarios.Connections{}.Reuse // they concern connections
	c.Pool = targets.NewPool[*place](&c.places)
	c.Cut = func(p *place) { p.on.close() }
	return c
}

// Opened returns how many connections were opened.
func (c *Connections) Opened() int64 { return c.opened.Load() }

// Streams returns how many requests had to wait until the server allowed another stream, and the most at once on a
// connection.
func (c *Connections) Streams() (waits int64, each int) { return c.waits.Load(), c.streams }

// A Line holds the connections to one origin.
type Line struct {
	of      *Connections
	address string // host:port
	tls     *tls.Config
	places  *targets.Places[*place]

	mu    sync.Mutex
	conns []*conn // those that accept requests, now or soon; the newest last
}

// To returns the line to host:port.
func (c *Connections) To(address string, config *tls.Config) *Line {
	l := &Line{of: c, address: address, tls: config.Clone()}
	l.tls.NextProtos = []string{"h3"}
	l.tls.MinVersion = tls.VersionTLS13
	l.places = c.Pool.To(targets.Connector[*place]{Dial: l.dial})
	return l
}

// place is the right to have one request at a time on a connection, with the memory for it.
type place struct {
	targets.Lease
	on    *conn
	begun bool // the answer has begun
	writing
}

// Close gives the place back. The connection ends with its last place.
func (p *place) Close() error {
	p.on.line.release(p.on)
	return nil
}

// joinable is how long further requests may join a connection that is being opened. An attempt that takes longer may
// hang on a fault that is already over, so they try another one.
const joinable = time.Second

// dial takes a place on a connection, which it opens if no other has room.
func (l *Line) dial(ctx context.Context, n uint64) (*place, error) {
	for {
		c, opens := l.pick()
		if opens {
			err := c.open(ctx)
			if err != nil {
				l.leave(c)
			}
			c.failed = err
			close(c.opened)
		} else {
			targets.StagesOf(ctx).Enter(scenarios.InTLS)
			select {
			case <-c.opened:
			case <-ctx.Done():
				l.release(c)
				return nil, ctx.Err()
			}
		}
		if c.failed == nil {
			return &place{on: c}, nil
		}
		l.release(c)
		late := errors.Is(c.failed, context.DeadlineExceeded) || errors.Is(c.failed, os.ErrDeadlineExceeded)
		if opens || !late || ctx.Err() != nil {
			return nil, c.failed
		}
	}
}

// pick takes a place on a connection. Opens says that the caller must open it.
func (l *Line) pick() (c *conn, opens bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.of.o.Now()
	for _, c := range slices.Backward(l.conns) {
		if c.active < l.of.streams && !c.worn(now) && (c.isOpen() || now-c.began < joinable) {
			c.active++
			return c, false
		}
	}
	c = newConn(l, now)
	c.active++
	l.conns = append(l.conns, c)
	return c, true
}

// release gives a place on c back.
func (l *Line) release(c *conn) {
	l.mu.Lock()
	c.active--
	over := c.active == 0
	if over {
		l.conns = slices.DeleteFunc(l.conns, func(other *conn) bool { return other == c })
	}
	l.mu.Unlock()
	if over {
		c.close()
	}
}

// leave makes c accept no more requests. It ends with its last place.
func (l *Line) leave(c *conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.leaving.Store(true)
	l.conns = slices.DeleteFunc(l.conns, func(other *conn) bool { return other == c })
}

// A Request is a request in the form of HTTP/1.1.
type Request struct {
	Bytes    []byte
	Tail     [][]byte      // sent after Bytes
	Deadline time.Duration // on the run's clock
	Follows  bool          // it follows a redirect, so its first times are not those of the call
	Repeats  bool          // see [targets.Resend]
}

// A Receiver reads the answer to a request.
type Receiver interface {
	// Receive takes over an answer that has begun, and reads its body. Sent is when the request was written.
	Receive3(b *Body, a *h1.Answer, sent time.Duration) error
	// Forget drops the received data, because the request is sent again.
	Forget()
}

// mostTries is how often a request is sent if the server refuses it each time. A request whose connections ended
// before its turn is retried until its deadline, with short pauses after this number of attempts.
const (
	mostTries = 5
	tryAgain  = time.Millisecond
)

// Ask sends a request and lets by read its answer. It records the times in out. A request that the server has
// certainly not begun to process is sent again on another connection, and so, once, is one that [targets.Resend]
// allows.
func (l *Line) Ask(r Request, by Receiver, out *scenarios.Outcome) error {
	resend := targets.Resend{Repeats: r.Repeats}
	for tries := 1; ; tries++ {
		spent, begins := &out.Opening, tries == 1 && !r.Follows
		if !begins {
			spent = new(scenarios.Opening)
		}
		p, slot, _, err := l.places.Get(r.Deadline, spent)
		if begins {
			out.Slot = slot
		}
		if err != nil {
			return err
		}
		for p.on.worn(l.of.o.Now()) || p.on.isClosed() {
			l.leave(p.on)
			if p, err = l.places.Replace(p, r.Deadline, spent); err != nil {
				return err
			}
		}
		if p.on.left.Add(-1) == 0 {
			l.leave(p.on)
		}
		untouched, err := p.exchange(&r, by, out)
		if errors.Is(err, os.ErrDeadlineExceeded) && p.silent() {
			l.leave(p.on)
		}
		l.places.Put(p, !p.on.leaving.Load() && !p.on.isClosed() && l.of.o.KeepsAlive())
		refused, lost := errors.Is(err, errRejected), !untouched && resend.Again(err)
		if lost {
			resend.Repeats = false
		}
		if err == nil || !untouched && !lost || refused && tries == mostTries || l.of.o.Now() >= r.Deadline {
			return err
		}
		if by.Forget(); tries >= mostTries {
			time.Sleep(tryAgain)
		}
	}
}

// exchange sends the request on a stream of its own and lets by read its answer. Untouched means that the server has
// certainly not begun to process the request.
func (p *place) exchange(r *Request, by Receiver, out *scenarios.Outcome) (untouched bool, err error) {
	c := p.on
	s, err := c.stream(r, out)
	if err != nil {
		return !errors.Is(err, os.ErrDeadlineExceeded), err
	}
	p.before, p.begun = c.quic.ConnectionStats().PacketsReceived, false
	answered := time.Duration(c.answered.Load())
	at := c.line.of.o.T0.Add(r.Deadline)
	_ = s.SetDeadline(at)
	werr := p.write(s, r)
	sent := c.line.of.o.Now()
	if stopped, ok := errors.AsType[*quic.StreamError](werr); werr == nil || ok && stopped.Remote {
		out.Attempts++
		if !r.Follows {
			out.Sent, out.WasSent = sent, true
		}
		err = p.receive(s, by, out, sent)
	} else {
		err = werr
	}
	if err != nil || werr != nil {
		s.CancelWrite(codeCancelled)
		s.CancelRead(codeCancelled)
	}
	switch now := c.line.of.o.Now(); {
	case err == nil:
		c.answered.Store(int64(now))
	case answered > 0 && !p.begun && c.isClosed() && !errors.Is(err, os.ErrDeadlineExceeded) && werr == nil:
		err = &targets.EndedError{Err: c.explain(err), Sent: sent, Idle: sent - answered, After: now - sent}
		return c.untouched(s, err), err
	}
	return c.untouched(s, err), c.explain(err)
}

// receive reads the answer on a stream.
func (p *place) receive(s *quic.Stream, by Receiver, out *scenarios.Outcome, sent time.Duration) (err error) {
	defer scenarios.Recover(&err)
	var one [1]byte
	if n, err := s.Peek(one[:]); n == 0 {
		if err == io.EOF {
			err = h1.ErrNotHTTP
		}
		return err
	}
	first := p.on.line.of.o.Now()
	p.begun = true
	br := h1.Reader(s)
	defer h1.Release(br)
	b := &Body{br: br, stream: s, now: p.on.line.of.o.Now, t0: p.on.line.of.o.T0}
	a, err := b.head()
	if err != nil {
		return err
	}
	out.First = first
	err = by.Receive3(b, a, sent)
	if !b.ended {
		s.CancelRead(codeCancelled)
	}
	return err
}
