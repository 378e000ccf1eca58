package main

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"testing"
	"time"

	"go.k6.io/k6/lib/netext/httpext"
)

// TestCutTransport_TimesFollow: the times that k6 takes of a request over a new connection add up to no more than the
// request lasted, even if the request gets the connection long after its handshake.
func TestCutTransport_TimesFollow(t *testing.T) {
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "ok")
			}))
			if scheme == "https" {
				s.StartTLS()
			} else {
				s.Start()
			}
			defer s.Close()
			stall := func() { time.Sleep(100 * time.Millisecond) } // simulates the time until the request is woken
			real := s.Client().Transport.(*http.Transport).Clone()
			real.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := new(net.Dialer).DialContext(ctx, network, addr)
				stall()
				return c, err
			}
			tracer := &httpext.Tracer{}
			ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
				TLSHandshakeDone: func(tls.ConnectionState, error) { stall() }, // after k6's own
			})
			req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, tracer.Trace()), http.MethodGet, s.URL, nil)
			if err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			resp, err := (&cutTransport{RoundTripper: real}).RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			trail := tracer.Done()
			whole := time.Since(began)
			if got := max(trail.Blocked, trail.ConnDuration) + trail.Duration; got > whole || trail.ConnDuration <= 0 {
				t.Errorf("%s: %s blocked, %s connecting, %s of TLS and %s of the request in %s", scheme, trail.Blocked,
					trail.Connecting, trail.TLSHandshaking, trail.Duration, whole)
			}
		})
	}
}
