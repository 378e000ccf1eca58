package http_test

import (
	"io"
	nethttp "net/http"
	"testing"

	"brunt/scenarios"

	"github.com/quic-go/quic-go/http3"
)

// BenchmarkHTTP3 compares a request of brunt with one of quic-go's own client in a bare loop, both over one connection
// to the same server.
func BenchmarkHTTP3(b *testing.B) {
	addr := serve3(b, nethttp.HandlerFunc(func(w nethttp.ResponseWriter, _ *nethttp.Request) {
		_, _ = io.WriteString(w, "hello")
	}), nil, nil)
	b.Run("client=brunt", func(b *testing.B) {
		u := open3(b, addr, nil, `get: /`)
		b.ReportAllocs()
		for b.Loop() {
			if out := u.Do(0, long3); out.Kind != scenarios.OK {
				b.Fatalf("%v %q", out.Kind, out.Cause)
			}
		}
	})
	b.Run("client=quic-go", func(b *testing.B) {
		t := &http3.Transport{TLSClientConfig: insecureTLS()}
		defer t.Close()
		c := &nethttp.Client{Transport: t}
		b.ReportAllocs()
		for b.Loop() {
			r, err := c.Get("https://" + addr + "/")
			if err != nil {
				b.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, r.Body)
			_ = r.Body.Close()
		}
	})
}
