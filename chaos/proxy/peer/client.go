package peer

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// A Client makes the requests of a probe on one connection.
type Client struct {
	web *Web
	c   *net.TCPConn
	br  *bufio.Reader    // for all forms but HTTP/2
	h2  *http.ClientConn // for HTTP/2
}

// An Answer is the answer to a request.
type Answer struct {
	Status  int  // of HTTP, or of gRPC
	Own     bool // the proxy answered it itself
	Size    int  // of the body, in bytes
	Last    bool // the connection serves no other request
	Request Message
	Says    Message
}

// NewClient begins an exchange on a connection to the web.
func (w *Web) NewClient(ctx context.Context, c *net.TCPConn) (*Client, error) {
	a := &Client{web: w, c: c}
	switch w.Form {
	case HTTP1, Redis, Mongo, Kafka:
		a.br = bufio.NewReader(c)
		return a, nil
	case AMQP:
		a.br = bufio.NewReader(c)
		_, err := c.Write([]byte(amqpHeader))
		return a, err
	case SQL:
		a.br = bufio.NewReader(c)
		return a, a.login()
	case MySQL:
		a.br = bufio.NewReader(c)
		return a, a.loginMySQL()
	}
	over := &http.Transport{
		Protocols: http2Alone(), DisableCompression: true,
		DialContext: func(context.Context, string, string) (net.Conn, error) { return c, nil },
	}
	var err error
	a.h2, err = over.NewClientConn(ctx, "http", "probe:80")
	return a, err
}

// Close ends the client, but does not close its connection.
func (a *Client) Close() {
	if a.h2 != nil {
		_ = a.h2.Close()
	}
}

// Ask makes a request. ctx bounds requests of HTTP/2; the deadline of the connection bounds the others.
func (a *Client) Ask(ctx context.Context) (got Answer, err error) {
	w := a.web
	switch w.Form {
	case Redis, SQL, MySQL, Mongo:
		return a.query()
	case Kafka:
		return a.request()
	case AMQP:
		return a.publish()
	}
	before := w.count()
	resp, err := a.send(ctx)
	if err != nil {
		return got, err
	}
	body, err := io.ReadAll(resp.Body)
	got.Size = len(body)
	_ = resp.Body.Close()
	if err != nil {
		return got, err
	}
	got.Status, got.Own, got.Last = resp.StatusCode, resp.Header.Get(ownHeader) == "", resp.Close
	if w.Form == GRPC {
		if got.Status, err = grpcStatus(resp); err != nil {
			return got, err
		}
	}
	if w.Keep {
		got.Request, got.Says = w.after(before), Message{Status: resp.StatusCode, Header: resp.Header, Body: string(body)}
	}
	return got, nil
}

// grpcStatus returns the status of a call.
func grpcStatus(resp *http.Response) (int, error) {
	text := resp.Header.Get("Grpc-Status")
	if text == "" {
		text = resp.Trailer.Get("Grpc-Status")
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0, fmt.Errorf("the answer has status %d of HTTP and no grpc-status", resp.StatusCode)
	}
	return n, nil
}

// send sends a request and reads the header of its answer.
func (a *Client) send(ctx context.Context) (*http.Response, error) {
	w, at := a.web, url.URL{Path: a.web.Path}
	if w.Form == HTTP1 {
		head := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: probe\r\n%s\r\n", w.Method, at.EscapedPath(), linesOf(w.Asks))
		if _, err := a.c.Write(head); err != nil {
			return nil, err
		}
		return http.ReadResponse(a.br, &http.Request{Method: w.Method})
	}
	at.Scheme, at.Host = "http", "probe"
	r := (&http.Request{Method: w.Method, URL: &at, Header: w.Asks.Clone()}).WithContext(ctx)
	if r.Header == nil {
		r.Header = http.Header{}
	}
	if w.Form == GRPC {
		r.Header.Set("Content-Type", grpcType)
		r.Header.Set("Te", "trailers")
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader("\x00\x00\x00\x00\x00")), 5 // an empty message
	}
	return a.h2.RoundTrip(r)
}
