package http_test

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	nethttp "net/http"
	"net/http/httptest"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/targets"
)

// TestHTTP_ResolveTLS connects to another address, IPv6 included, and uses the host of the URL
// there: in TLS, in the Host header, and for the certificate.
func TestHTTP_ResolveTLS(t *testing.T) {
	ca := newAuthority(t)
	start := func(network, addr string) string {
		l, err := net.Listen(network, addr)
		if err != nil {
			t.Skipf("this machine has no %s: %v", addr, err)
		}
		s := &httptest.Server{Listener: l, Config: &nethttp.Server{
			ErrorLog: log.New(io.Discard, "", 0),
			Handler: nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
				_, _ = io.WriteString(w, r.TLS.ServerName+" "+r.Host+" "+l.Addr().Network())
			}),
		}}
		s.TLS = &tls.Config{Certificates: []tls.Certificate{ca.leaf(time.Hour, "api.test")}}
		s.StartTLS()
		t.Cleanup(s.Close)
		return l.Addr().String()
	}
	v4, v6 := start("tcp4", "127.0.0.1:0"), start("tcp6", "[::1]:0")
	port := portOf(v6)
	for _, c := range []struct {
		name, base, host string
		to               map[string]string
	}{
		{"to another port", "https://api.test", "api.test", map[string]string{"api.test:443": v4}},
		{"to IPv6 with its port", "https://api.test", "api.test", map[string]string{"api.test": v6}},
		{"to IPv6", "https://api.test:" + port, "api.test:" + port, map[string]string{"api.test": "::1"}},
		{"to IPv6 in brackets", "https://api.test:" + port, "api.test:" + port, map[string]string{"api.test": "[::1]"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := &samples{}
			r := newFixture(t, targets.Options{Base: c.base, Resolve: c.to, Sampler: k, TLS: &scenarios.TLS{CA: ca.file}},
				`{get: /, check: {body: "api.test `+c.host+` tcp"}}`)
			r.want(r.user(0).Do(0, long), "ok 200")
			if m := k.last(); m.Message != "" {
				t.Errorf("%+v", m)
			}
		})
	}
	// From IPv6 to IPv4, by mapping an address.
	plain := script(t, local)
	r := newFixture(t, targets.Options{
		Base: "http://[2001:db8::1]", Resolve: map[string]string{"[2001:db8::1]:80": "127.0.0.1:" + portOf(plain)},
	},
		`{get: /, check: {header: {X-Here: 127.0.0.1}}}`)
	r.want(r.user(0).Do(0, long), "ok 200")
}
