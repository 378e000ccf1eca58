package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	otel "go.opentelemetry.io/otel/trace"
)

// maxReply is the largest response that a service accepts from another, in bytes.
const maxReply = 4 << 20

// notFromCopy is the Cache-Control of a request that is not to be answered from a copy.
const notFromCopy = "no-cache"

// A client calls other services. One call is exactly one attempt. Without precautions net/http would resend a request
// when a kept connection breaks, a retry that no switch of the demo turns off.
type client struct {
	transport *http.Transport
	names     func(ctx context.Context, host string) error // before each call; nil: nothing
}

// newClient returns a client with a connect timeout; 0 means no timeout.
func newClient(dial dialer, connect time.Duration) *client {
	return &client{transport: &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if connect > 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, connect)
				defer cancel()
			}
			return dial(ctx, network, addr)
		},
		MaxIdleConnsPerHost: 512,
		IdleConnTimeout:     clientIdle,
		DisableCompression:  true,
	}}
}

// client returns a client with a connect timeout, which keeps unused connections as long as the service does.
func (p parts) client(connect time.Duration) *client {
	c := newClient(p.dial, connect)
	c.transport.IdleConnTimeout, c.names = p.idle, p.names
	return c
}

// forgetful dials connections over a network that forgets those that were unused for d, as a firewall does: bytes that
// are sent later are lost, and neither side learns of it.
func forgetful(dial dialer, d time.Duration) dialer {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &forgetfulConn{Conn: c, after: d, used: time.Now()}, nil
	}
}

type forgetfulConn struct {
	net.Conn
	after time.Duration

	mu   sync.Mutex
	used time.Time
	lost bool
}

// pass reports whether the network still knows the connection, and remembers its use.
func (c *forgetfulConn) pass() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.lost = c.lost || now.Sub(c.used) > c.after
	c.used = now
	return !c.lost
}

func (c *forgetfulConn) Write(b []byte) (int, error) {
	if !c.pass() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

func (c *forgetfulConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.pass()
	}
	return n, err
}

// A call is a request to another service.
type call struct {
	method string
	path   string
	query  string
	body   []byte // JSON; nil: none
	key    string // Idempotency-Key, if any
	client string // address of the original client, for the balancer
	stay   int    // replica of the client's session, counted from 1; 0 without a session
	fresh  bool   // it is not to be answered from a copy
}

// spanName names the span of a call by the first part of its path, so that there are few names.
func (q call) spanName() string {
	first, _, _ := strings.Cut(strings.TrimPrefix(q.path, "/"), "/")
	return "call " + q.method + " /" + first
}

// A reply is a complete response.
type reply struct {
	status int
	body   []byte
	by     int // index of the replica that sent it
	// the version of the replica, if there are several
	version string
}

// do sends a call and reads the whole response. A timeout of 0 means no time limit.
func (c *client) do(ctx context.Context, addr string, q call, timeout time.Duration) (rep reply, err error) {
	t, span := traceIn(ctx), otel.Span(nil)
	if t.by != nil {
		t, span = t.by.begin(t, q.spanName(), otel.SpanKindClient)
		defer func() { called(span, rep.status, err) }()
	}
	if timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	req := (&http.Request{
		Method: q.method,
		URL:    &url.URL{Scheme: "http", Host: addr, Path: q.path, RawQuery: q.query},
		Header: make(http.Header, 4),
		Body:   nothing{},
	}).WithContext(ctx)
	if q.body != nil {
		req.Body = io.NopCloser(bytes.NewReader(q.body)) // without GetBody, so that it can't be sent again
		req.ContentLength = int64(len(q.body))
		req.Header["Content-Type"] = []string{"application/json"}
	}
	if q.key != "" {
		req.Header["Idempotency-Key"] = []string{q.key}
	}
	if q.fresh {
		req.Header["Cache-Control"] = []string{notFromCopy}
	}
	t.set(req.Header)

	if host, _, err := net.SplitHostPort(addr); err == nil && c.names != nil {
		if err := c.names(ctx, host); err != nil {
			return reply{}, fmt.Errorf("calling %s: %w", addr, err)
		}
	}
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return reply{}, fmt.Errorf("calling %s: %w", addr, err)
	}
	defer resp.Body.Close()
	body, err := readAll(resp)
	if err != nil {
		return reply{}, fmt.Errorf("reading the answer of %s: %w", addr, err)
	}
	return reply{status: resp.StatusCode, body: body, version: resp.Header.Get(versionHeader)}, nil
}

func readAll(resp *http.Response) ([]byte, error) {
	switch n := resp.ContentLength; {
	case n > maxReply:
		return nil, fmt.Errorf("%d bytes are too many", n)
	case n >= 0:
		body := make([]byte, n)
		_, err := io.ReadFull(resp.Body, body)
		return body, err
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	if err == nil && len(body) > maxReply {
		return nil, fmt.Errorf("more than %d bytes are too many", maxReply)
	}
	return body, err
}

func (c *client) close() { c.transport.CloseIdleConnections() }

// nothing is an empty body that can't be sent again. subtle: with http.NoBody or nil the transport could repeat a
// GET.
type nothing struct{}

func (nothing) Read([]byte) (int, error) { return 0, io.EOF }
func (nothing) Close() error             { return nil }

// neverLeft reports whether err means that no part of the call was sent.
func neverLeft(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// timedOut reports whether err is a timeout.
func timedOut(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}
