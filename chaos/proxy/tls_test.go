package proxy

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// TestProbe_TLS tells servers with TLS from others, also one that refuses a caller without a certificate.
func TestProbe_TLS(t *testing.T) {
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	plain := httptest.NewServer(ok)
	defer plain.Close()
	open := httptest.NewTLSServer(ok)
	defer open.Close()
	old := httptest.NewUnstartedServer(ok)
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	old.StartTLS()
	defer old.Close()
	mutual := httptest.NewUnstartedServer(ok)
	mutual.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert, MaxVersion: tls.VersionTLS12}
	mutual.StartTLS()
	defer mutual.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, tt := range []struct {
		name, at string
		want     bool
	}{
		{"without", plain.Listener.Addr().String(), false},
		{"with", open.Listener.Addr().String(), true},
		{"an old version", old.Listener.Addr().String(), true},
		{"both ends", mutual.Listener.Addr().String(), true},
		{"no answer", silent.Addr().String(), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := Start(Config{Upstream: func() string { return tt.at }})
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			r, err := p.Probe(ctx, ProbeRequest{Kind: TLS})
			if err != nil || (r.Outcome == Answered) != tt.want || p.Stats().Any() {
				t.Errorf("%+v, %v, counted %+v; want %v", r, err, p.Stats(), tt.want)
			}
		})
	}
}
