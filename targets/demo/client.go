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
	"time"
)

// maxReply is the largest answer that one service takes from another, in bytes.
const maxReply = 4 << 20

// A client calls other services. One call is one attempt: net/http would send a
// request again by itself when a connection that it kept breaks, which would be a
// retry that no switch turns off.
type client struct {
	transport *http.Transport
}

// newClient gives a client that waits for a connection as long as connect says, or
// without end when that is 0.
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

// A call is a request to another service.
type call struct {
	method string
	path   string
	query  string
	body   []byte // JSON; nil: none
	key    string // Idempotency-Key, if any
	client string // the address of whoever it is for, for the balancer
	stay   int    // the replica that its session belongs to, counted from 1; 0 is none
}

// A reply is a whole answer.
type reply struct {
	status int
	body   []byte
	by     int // index of the replica that gave it
}

// do sends a call and reads the answer to its end. A timeout of 0 is none.
func (c *client) do(ctx context.Context, addr string, q call, timeout time.Duration) (reply, error) {
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
		req.Body = io.NopCloser(bytes.NewReader(q.body)) // without GetBody: it can't be had again
		req.ContentLength = int64(len(q.body))
		req.Header["Content-Type"] = []string{"application/json"}
	}
	if q.key != "" {
		req.Header["Idempotency-Key"] = []string{q.key}
	}
	traceIn(ctx).set(req.Header)

	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return reply{}, fmt.Errorf("calling %s: %w", addr, err)
	}
	defer resp.Body.Close()
	body, err := readAll(resp)
	if err != nil {
		return reply{}, fmt.Errorf("reading the answer of %s: %w", addr, err)
	}
	return reply{status: resp.StatusCode, body: body}, nil
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

// nothing is an empty body that can't be had again. subtle: http.NoBody or nil
// would let the transport repeat a GET.
type nothing struct{}

func (nothing) Read([]byte) (int, error) { return 0, io.EOF }
func (nothing) Close() error             { return nil }

// neverLeft tells whether err means that nothing of the call was sent.
func neverLeft(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "dial"
}

// timedOut tells whether err is a wait that was given up.
func timedOut(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}
