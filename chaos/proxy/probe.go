package proxy

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"syscall"
	"time"
)

// A Kind says what a probe does.
type Kind uint8

const (
	Connect Kind = iota // connects, and nothing else
	RTT                 // small round trips on one connection
	Bulk                // sends bytes and gets them back, both at once
	Close               // a small round trip, then it ends its side and waits for the other's end
	HTTP                // requests, on a connection for as long as it lives
)

// A ProbeRequest says what to measure.
type ProbeRequest struct {
	Kind   Kind
	N      int    // round trips or requests; 0 is 1
	Bytes  int64  // of a Bulk; 0 is 1 MiB
	Method string // of HTTP; empty is GET
	Path   string // of HTTP, not escaped; empty is /

	// Of HTTP, for who wants to see what becomes of a message: the headers that are sent
	// both ways besides those that must be, the status of the answer (zero is 204,
	// without a body), and that all is kept.
	Asks, Says http.Header
	Status     int
	Keep       bool
}

// An Exchange is a request and its answer as they arrived.
type Exchange struct{ Request, Answer Message }

// A Message is one end of an exchange.
type Message struct {
	Target string // of a request that arrived; empty is that none did
	Status int    // of an answer
	Header http.Header
	Body   string
}

// An Outcome is how a connection fared.
type Outcome uint8

const (
	Answered Outcome = iota // all that was asked for came back
	Refused                 // it could not connect
	WasReset
	WasClosed // ended in order, too early
	Silent    // nothing came until the context was over
	Failed    // in another way
)

func (o Outcome) String() string {
	return [...]string{"answered", "refused", "reset", "closed", "silent", "failed"}[o]
}

// A ProbeResult is what a probe met with. It is filled as far as the probe came.
type ProbeResult struct {
	Outcome   Outcome
	Err       error // what was met, nil if all was answered
	Connected bool

	Times    []time.Duration // of each round trip or request
	Waited   time.Duration   // for the one that had no answer
	Statuses []int           // of each request
	Own      []bool          // of each request: the proxy answered it itself
	Kept     []Exchange      // where that was asked for
	Received int64           // bytes that came back
	Parts    int             // that they came in, of a Bulk
	Spread   time.Duration   // from the first of them to the last, of a Bulk
	Closing  bool            // a Close ended its side
	Rate     float64         // bytes a second, of a Bulk, from the first byte that came back to the last
}

// fail notes what ended the probe.
func (r *ProbeResult) fail(err error) {
	r.Err, r.Outcome = err, OutcomeOf(err)
}

// gaveUp notes what ended the probe in a round trip or request that began then.
func (r *ProbeResult) gaveUp(err error, began time.Time) {
	r.fail(err)
	r.Waited = time.Since(began)
}

func OutcomeOf(err error) Outcome {
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
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
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

// Probe measures the proxy from a client's side: it connects to the proxy's own
// listener and goes through the same code as every connection, toxics included, but
// to a peer in this process. It takes no part in the traffic: it is not counted,
// has a wire of its own in Bandwidth, and numbers of its own for what is random.
//
// Ctx bounds how long it waits for what may never come. What the toxics do to it is
// in the result; an error is that it could not be made.
func (p *Proxy) Probe(ctx context.Context, q ProbeRequest) (ProbeResult, error) {
	serve := echo
	var seen arrivals
	if q.Kind == HTTP {
		serve = seen.web(&q)
	}
	to, err := p.c.newPeer(serve)
	if err != nil {
		return ProbeResult{}, fmt.Errorf("probing: %w", err)
	}
	defer to.close()
	r := ProbeResult{Outcome: Answered}
	q.N = max(1, q.N)
	if q.Kind == HTTP {
		err = p.probeHTTP(ctx, to, q, &r, &seen)
	} else {
		err = p.probeTCP(ctx, to, q, &r)
	}
	if err != nil {
		return ProbeResult{}, fmt.Errorf("probing: %w", err)
	}
	return r, nil
}

// call connects as a probe. Nil is that it could not, for the reason in r or the
// error. Hang ends the connection.
func (p *Proxy) call(ctx context.Context, to *peer, r *ProbeResult) (c *net.TCPConn, hang func(), err error) {
	c, rv, err := p.dial(ctx, to.addr())
	switch {
	case errors.Is(err, ErrClosed) || p.ctx.Err() != nil:
		if err == nil {
			_ = c.Close()
		}
		return nil, nil, ErrClosed
	case err != nil && OutcomeOf(err) == Failed:
		return nil, nil, err
	case err != nil:
		r.fail(err)
		return nil, nil, nil
	}
	r.Connected = true
	return c, func() {
		_ = c.Close()
		rv.end()
	}, nil
}

// bind makes ctx bound what is done on c.
func bind(ctx context.Context, c *net.TCPConn) (free func()) {
	_ = c.SetDeadline(time.Time{})
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		_ = c.SetDeadline(past)
	})
	return func() {
		if !stop() {
			<-done // or it would end what is done next
		}
	}
}

func (p *Proxy) probeTCP(ctx context.Context, to *peer, q ProbeRequest, r *ProbeResult) error {
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

// echoes is a connection to an echo: every number that is sent comes back.
type echoes struct {
	c    *net.TCPConn
	sent uint64
	back [8]byte // that comes back
	have int     // bytes of it
}

// roundTrip sends a number and waits until it is back. What comes back of earlier
// ones is passed over.
func (e *echoes) roundTrip(r *ProbeResult) bool {
	e.sent++
	began := time.Now()
	// It begins with a 0, so that nobody takes it for HTTP.
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
				return // reading tells
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

func (p *Proxy) probeHTTP(ctx context.Context, to *peer, q ProbeRequest, r *ProbeResult, seen *arrivals) error {
	if q.Method == "" {
		q.Method = http.MethodGet
	}
	if q.Path == "" {
		q.Path = "/"
	}
	for left := q.N; left > 0; {
		c, hang, err := p.call(ctx, to, r)
		if c == nil {
			return err
		}
		free := bind(ctx, c)
		for br, keep := bufio.NewReader(c), true; keep && left > 0; left-- {
			keep = r.request(c, br, q, seen)
		}
		free()
		hang()
		if r.Err != nil {
			return nil
		}
	}
	return nil
}

// request sends one request. It tells whether the connection serves another.
func (r *ProbeResult) request(c *net.TCPConn, br *bufio.Reader, q ProbeRequest, seen *arrivals) (keep bool) {
	began, before := time.Now(), seen.count()
	at := url.URL{Path: q.Path}
	head := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: probe\r\n%s\r\n", q.Method, at.EscapedPath(), linesOf(q.Asks))
	if _, err := c.Write(head); err != nil {
		r.gaveUp(err, began)
		return false
	}
	resp, err := http.ReadResponse(br, &http.Request{Method: q.Method})
	if err != nil {
		r.gaveUp(err, began)
		return false
	}
	body, err := io.ReadAll(resp.Body)
	r.Received += int64(len(body))
	if err != nil {
		r.gaveUp(err, began)
		return false
	}
	if q.Keep {
		r.Kept = append(r.Kept, Exchange{seen.after(before), Message{Status: resp.StatusCode, Header: resp.Header, Body: string(body)}})
	}
	r.Times = append(r.Times, time.Since(began))
	r.Statuses = append(r.Statuses, resp.StatusCode)
	r.Own = append(r.Own, resp.Header.Get(peerHeader) == "")
	return !resp.Close
}

// A Line is a probe's connection that stays, so that it can be seen what a fault
// does to connections that were there before it.
type Line struct {
	echoes
	to   *peer
	hang func()
}

// Established opens a connection and makes sure that it works.
func (p *Proxy) Established(ctx context.Context) (*Line, error) {
	to, err := p.c.newPeer(echo)
	if err != nil {
		return nil, fmt.Errorf("opening a line: %w", err)
	}
	l := &Line{to: to}
	var r ProbeResult
	l.c, l.hang, err = p.call(ctx, to, &r)
	if l.c == nil {
		to.close()
		return nil, fmt.Errorf("opening a line: %w", errors.Join(err, r.Err))
	}
	if r := l.RoundTrip(ctx); r.Err != nil {
		l.Close()
		return nil, fmt.Errorf("opening a line: %w", r.Err)
	}
	return l, nil
}

// RoundTrip tells whether the connection still works: Answered, WasReset, WasClosed,
// or Silent when ctx was over first.
func (l *Line) RoundTrip(ctx context.Context) ProbeResult {
	r := ProbeResult{Connected: true}
	defer bind(ctx, l.c)()
	l.roundTrip(&r)
	return r
}

// Close ends the connection.
func (l *Line) Close() {
	l.hang()
	l.to.close()
}
