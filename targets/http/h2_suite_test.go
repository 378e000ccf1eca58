package http_test

import (
	"context"
	"crypto/tls"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"testing"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/http"
	"brunt/targets/targetstest"
)

// http2Client is HTTP that speaks HTTP/2 and trusts the test server. Streams is the limit of a
// connection; zero: the server's.
func http2Client(streams int) *targets.Descriptor {
	d := http.Descriptor()
	client := d.Client
	d.Client = func(o targets.Options) (targets.Client, error) {
		o.TLS = &scenarios.TLS{InsecureSkipVerify: true}
		o.Connections.HTTP = scenarios.HTTP2
		if streams > 0 {
			o.Connections.MaxStreams = streams
		}
		return client(o)
	}
	return d
}

// serve2 makes a server speak HTTP/2, with or without TLS, and lets its handler end the
// connection.
func serve2(secure bool) func(*httptest.Server) {
	return func(s *httptest.Server) {
		s.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, connKey{}, c)
		}
		if secure {
			s.EnableHTTP2 = true
			s.StartTLS()
			return
		}
		s.Config.Protocols = new(nethttp.Protocols)
		s.Config.Protocols.SetUnencryptedHTTP2(true)
		s.Start()
	}
}

type connKey struct{}

// connOf returns the TCP connection of a request.
func connOf(r *nethttp.Request) *net.TCPConn {
	c := r.Context().Value(connKey{}).(net.Conn)
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	return c.(*net.TCPConn)
}

func TestHTTP2_Suite(t *testing.T) {
	for _, c := range []struct {
		name    string
		secure  bool
		streams int
		shared  bool
	}{
		{"h2/one stream a connection", true, 1, false},
		{"h2/one connection", true, 0, true},
		{"h2c/one stream a connection", false, 1, false},
		{"h2c/one connection", false, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			targetstest.Run(t, targetstest.Suite{
				Protocol: http2Client(c.streams), Start: newServer(serve2(c.secure)), Steps: steps,
				Failed:  scenarios.Status(nethttp.StatusTeapot),
				Waiting: http.Waiting, Shared: c.shared,
			})
		})
	}
}
