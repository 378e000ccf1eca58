package proxy

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"syscall"
	"time"

	"brunt/chaos/proxy/peer"
)

// A Kind is the kind of a probe.
type Kind uint8

const (
	Connect  Kind = iota // only connects
	RTT                  // small round trips on one connection
	Bulk                 // sends bytes and receives them back at the same time
	Close                // a small round trip, then ends its side and waits for the other's end
	HTTP                 // requests on a connection that stays open while it can
	Datagram             // datagrams of UDP to an echo
	TLS                  // a TLS handshake with the upstream itself, past the toxics
)

// A ProbeRequest configures a probe.
type ProbeRequest struct {
	Kind   Kind
	N      int       // round trips, requests or datagrams; 0 is 1
	Bytes  int64     // for Bulk; 0 is 1 MiB
	Method string    // for HTTP; empty is GET
	Path   string    // for HTTP, unescaped; empty is /
	Form   peer.Form // for HTTP: its version, or gRPC

	Size int           // for Datagram: bytes of each; at least 16
	Wait time.Duration // for Datagram: how long to wait for the last one

	// For HTTP, to check changes to messages: additional request and response headers, the status
	// of the response (zero is 204 without a body), and whether to keep the messages.
	Asks, Says http.Header
	Status     int
	Keep       bool
}

// An Exchange is a request and its response as they arrived.
type Exchange struct{ Request, Answer peer.Message }

// An Outcome is the result of a connection.
type Outcome uint8

const (
	Answered  Outcome = iota // every response arrived
	Refused                  // the connection was refused
	WasReset                 // the connection was reset
	WasClosed                // closed in order, too early
	Silent                   // nothing arrived until the context ended
	Failed                   // another error
)

func (o Outcome) String() string {
	return [...]string{"answered", "refused", "reset", "closed", "silent", "failed"}[o]
}

// A ProbeResult is the result of a probe. Its fields are valid as far as the probe got.
type ProbeResult struct {
	Outcome   Outcome
	Err       error // nil if everything was answered
	Connected bool

	Times    []time.Duration // of each round trip or request
	Waited   time.Duration   // of the round trip without an answer
	Statuses []int           // of each request
	Own      []bool          // of each request: the proxy answered it itself
	Kept     []Exchange      // if Keep was set
	Received int64           // bytes received
	Parts    int             // reads that the bytes arrived in, for Bulk
	Spread   time.Duration   // from the first to the last of them, for Bulk
	Largest  [2]int64        // bytes of the proxy's largest write to the upstream, and back to the client; 0: not known
	Closing  bool            // a Close probe ended its side
	Rate     float64         // bytes per second, for Bulk, from the first byte received to the last

	Datagrams Datagrams // for Datagram
}

// fail records the error that ended the probe.
func (r *ProbeResult) fail(err error) {
	r.Err, r.Outcome = err, outcomeOf(err)
}

// gaveUp records the error that ended the probe in a round trip or request that started at began.
func (r *ProbeResult) gaveUp(err error, began time.Time) {
	r.fail(err)
	r.Waited = time.Since(began)
}

func outcomeOf(err error) Outcome {
	is := func(errnos []syscall.Errno) bool {
		var errno syscall.Errno
		if errors.As(err, &errno) {
			if slices.Contains(errnos, errno) {
				return true
			}
		}
		return false
	}
	switch {
	case err == nil:
		return Answered
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, context.Canceled):
		return Silent
	case is(refusedErrnos):
		return Refused
	case is(resetErrnos):
		return WasReset
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return WasClosed
	}
	return Failed
}

// Probe measures the proxy from a client's side, or asks its upstream for TLS. To measure, it connects to the
// proxy's own listener and passes through the same code as every connection, toxics included, but to a peer in this
// process. It does not affect the traffic: it is not counted, has its own wire in Bandwidth, and its own numbers
// for random choices.
//
// ctx limits the wait for data that may never arrive. The result contains the effects of the
// toxics; an error means that the probe could not be made.
func (p *Proxy) Probe(ctx context.Context, q ProbeRequest) (ProbeResult, error) {
	if q.Kind == Datagram {
		if p.relay == nil {
			return ProbeResult{}, fmt.Errorf("probing: %w", errNoDatagrams)
		}
		d, err := p.probeDatagrams(ctx, q)
		if err != nil {
			return ProbeResult{}, fmt.Errorf("probing: %w", err)
		}
		return ProbeResult{Datagrams: d}, nil
	}
	if q.Kind == TLS {
		return p.probeTLS(ctx), nil
	}
	web := &peer.Web{
		Form: q.Form, Method: cmp.Or(q.Method, http.MethodGet), Path: cmp.Or(q.Path, "/"), Asks: q.Asks, Says: q.Says,
		Status: q.Status, Keep: q.Keep,
	}
	serve := peer.Echo
	if q.Kind == HTTP {
		serve = web.Serve
	}
	to, err := peer.New(p.c.InNamespace, serve)
	if err != nil {
		return ProbeResult{}, fmt.Errorf("probing: %w", err)
	}
	defer to.Close()
	r := ProbeResult{Outcome: Answered}
	q.N = max(1, q.N)
	if q.Kind == HTTP {
		err = p.probeHTTP(ctx, to, web, q.N, &r)
	} else {
		err = p.probeTCP(ctx, to, q, &r)
	}
	if err != nil {
		return ProbeResult{}, fmt.Errorf("probing: %w", err)
	}
	return r, nil
}

// call connects as a probe. c is nil if that failed; r or the error holds the reason. hang ends the
// connection, and records in r what the proxy wrote.
func (p *Proxy) call(ctx context.Context, to *peer.Peer, r *ProbeResult) (c *net.TCPConn, hang func(), err error) {
	c, rv, err := p.dial(ctx, to.Addr())
	switch {
	case errors.Is(err, errClosed) || p.ctx.Err() != nil:
		if err == nil {
			_ = c.Close()
		}
		return nil, nil, errClosed
	case err != nil && outcomeOf(err) == Failed:
		return nil, nil, err
	case err != nil:
		r.fail(err)
		return nil, nil, nil
	}
	r.Connected = true
	return c, func() {
		_ = c.Close()
		if l := rv.end(); l != nil {
			r.Largest = [2]int64{l.forward.largest.Load(), l.back.largest.Load()}
		}
	}, nil
}

// bind applies the deadline of ctx to operations on c.
func bind(ctx context.Context, c *net.TCPConn) (free func()) {
	_ = c.SetDeadline(time.Time{})
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		_ = c.SetDeadline(past)
	})
	return func() {
		if !stop() {
			<-done // otherwise it would end the next operation
		}
	}
}

func (p *Proxy) probeTCP(ctx context.Context, to *peer.Peer, q ProbeRequest, r *ProbeResult) error {
	c, hang, err := p.call(ctx, to, r)
	if c == nil {
		return err
	}
	defer hang()
	defer bind(ctx, c)()
	switch q.Kind {
	case RTT:
		e := echoes{c: c}
		for range q.N {
			if !e.roundTrip(r) {
				break
			}
		}
	case Bulk:
		r.bulk(c, q.Bytes)
	case Close:
		e := echoes{c: c}
		if e.roundTrip(r) {
			r.Times = nil
			r.close(c)
		}
	}
	return nil
}

// echoes is a connection to an echo: every number sent comes back.
type echoes struct {
	c    *net.TCPConn
	sent uint64
	back [8]byte // the number being received
	have int     // bytes of it received
}

// roundTrip sends a number and waits until it returns. It skips earlier numbers.
func (e *echoes) roundTrip(r *ProbeResult) bool {
	e.sent++
	began := time.Now()
	// The number begins with a 0, so that it is not mistaken for HTTP.
	if _, err := e.c.Write(binary.BigEndian.AppendUint64(nil, e.sent)); err != nil {
		r.gaveUp(err, began)
		return false
	}
	for {
		n, err := e.c.Read(e.back[e.have:])
		r.Received += int64(n)
		if e.have += n; e.have == len(e.back) {
			e.have = 0
			if binary.BigEndian.Uint64(e.back[:]) == e.sent {
				r.Times = append(r.Times, time.Since(began))
				return true
			}
		}
		if err != nil {
			r.gaveUp(err, began)
			return false
		}
	}
}

func (r *ProbeResult) bulk(c *net.TCPConn, size int64) {
	if size <= 0 {
		size = 1 << 20
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		zeros := make([]byte, bufferSize)
		for left := size; left > 0; {
			n, err := c.Write(zeros[:min(left, bufferSize)])
			left -= int64(n)
			if err != nil {
				return // the read reports the error
			}
		}
	}()
	began := time.Now()
	var first, last time.Time
	var opening int64
	b := make([]byte, bufferSize)
	for r.Received < size {
		n, err := c.Read(b)
		if n > 0 {
			r.Parts++
			last = time.Now()
			if r.Received == 0 {
				first, opening = last, int64(n)
			}
			r.Received += int64(n)
		}
		if err != nil {
			r.gaveUp(err, began)
			break
		}
	}
	if r.Spread = last.Sub(first); r.Spread > 0 {
		r.Rate = float64(r.Received-opening) / r.Spread.Seconds()
	}
	if r.Err != nil {
		_ = c.Close()
	}
	<-sent
}

// close ends the probe's side of c and waits for the end of the other.
func (r *ProbeResult) close(c *net.TCPConn) {
	r.Closing = true
	began := time.Now()
	err := c.CloseWrite()
	if err == nil {
		_, err = io.Copy(io.Discard, c)
	}
	if err != nil {
		r.gaveUp(err, began)
		return
	}
	r.Times = append(r.Times, time.Since(began))
}

func (p *Proxy) probeHTTP(ctx context.Context, to *peer.Peer, web *peer.Web, n int, r *ProbeResult) error {
	for left := n; left > 0; {
		c, hang, err := p.call(ctx, to, r)
		if c == nil {
			return err
		}
		free := bind(ctx, c)
		a, err := web.NewClient(ctx, c)
		if err != nil {
			r.fail(err)
		} else {
			for keep := true; keep && left > 0; left-- {
				keep = r.request(ctx, a, web.Keep)
			}
			a.Close()
		}
		free()
		hang()
		if r.Err != nil {
			return nil
		}
	}
	return nil
}

// request makes one request. It reports whether the connection can serve another.
func (r *ProbeResult) request(ctx context.Context, a *peer.Client, keep bool) bool {
	began := time.Now()
	got, err := a.Ask(ctx)
	r.Received += int64(got.Size)
	if err != nil {
		r.gaveUp(err, began)
		return false
	}
	if keep {
		r.Kept = append(r.Kept, Exchange{got.Request, got.Says})
	}
	r.Times = append(r.Times, time.Since(began))
	r.Statuses = append(r.Statuses, got.Status)
	r.Own = append(r.Own, got.Own)
	return !got.Last
}

// A Line is a probe's connection that stays open, to observe the effect of a fault on connections that
// existed before it.
type Line interface {
	// RoundTrip checks whether the connection still works. The outcome is Answered, WasReset, WasClosed, or
	// Silent if ctx ended first.
	RoundTrip(ctx context.Context) ProbeResult
	// Close ends the connection.
	Close()
}

// A line is a Line of a proxy in this process.
type line struct {
	echoes
	to   *peer.Peer
	hang func()
}

// Established opens a connection and checks that it works.
func (p *Proxy) Established(ctx context.Context) (Line, error) {
	to, err := peer.New(p.c.InNamespace, peer.Echo)
	if err != nil {
		return nil, fmt.Errorf("opening a line: %w", err)
	}
	l := &line{to: to}
	var r ProbeResult
	l.c, l.hang, err = p.call(ctx, to, &r)
	if l.c == nil {
		to.Close()
		return nil, fmt.Errorf("opening a line: %w", errors.Join(err, r.Err))
	}
	if r := l.RoundTrip(ctx); r.Err != nil {
		l.Close()
		return nil, fmt.Errorf("opening a line: %w", r.Err)
	}
	return l, nil
}

func (l *line) RoundTrip(ctx context.Context) ProbeResult {
	r := ProbeResult{Connected: true}
	defer bind(ctx, l.c)()
	l.roundTrip(&r)
	return r
}

func (l *line) Close() {
	l.hang()
	l.to.Close()
}
