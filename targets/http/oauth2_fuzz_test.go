package http_test

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brunt/targets"
	"brunt/targets/http"
	"brunt/targets/targetstest"
)

// FuzzToken fetches a token from a server that says some bytes.
func FuzzToken(f *testing.F) {
	for _, says := range []string{
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + `{"access_token":"a","expires_in":60,"token_type":"bearer"}`,
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + `{"access_token":"a\r\nX: b","expires_in":"1e999"}`,
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + `{"access_token":"a","expires_in":-9223372036854775808}`,
		"HTTP/1.1 200 OK\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\naccess_token=a&expires_in=%zz",
		"HTTP/1.1 400 No\r\nContent-Type: application/json\r\n\r\n" + `{"error":"\u001b[2J","error_description":null}`,
		"HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", "",
	} {
		f.Add([]byte(says))
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { l.Close() })
	var says atomic.Pointer[[]byte]
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 4096))
			_, _ = c.Write(*says.Load())
			_ = c.Close()
		}
	}()
	addr := l.Addr().String()
	flow := targetstest.Compile(f, http.Descriptor(),
		`auth: {oauth2: {token_url: "http://`+addr+`/token", client_id: a, client_secret: b}}`, `get: /`)
	f.Fuzz(func(t *testing.T, answer []byte) {
		says.Store(&answer)
		k := open(t, flow, targets.Options{Base: "http://" + addr})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if err := k.Fetch(ctx); err != nil && strings.Contains(err.Error(), "panic") {
			t.Errorf("%q", err)
		}
	})
}
