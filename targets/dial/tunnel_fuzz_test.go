package dial_test

import (
	"context"
	"net"
	"net/url"
	"testing"
	"time"

	"brunt/targets/dial"
)

// FuzzTunnel asks a proxy for a tunnel that says some bytes, and then ends or goes on.
func FuzzTunnel(f *testing.F) {
	for _, says := range []string{
		"HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.0 407 Proxy Authentication Required\r\nContent-Length: -1\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\nearly", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n", "HTTP/9.9 999\r\n\r\n", "SSH-2.0\r\n", "\x05\x00", "",
	} {
		f.Add([]byte(says), true)
		f.Add([]byte(says), false)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { l.Close() })
	via := &dial.Proxy{URL: &url.URL{Scheme: "http", Host: l.Addr().String()}, Auth: "Basic YTpi"}
	f.Fuzz(func(t *testing.T, says []byte, ends bool) {
		c, err := net.Dial("tcp4", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		other, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		go func() {
			_, _ = other.Write(says)
			if ends {
				_ = other.(*net.TCPConn).CloseWrite()
			}
		}()
		const within = 50 * time.Millisecond
		ctx, cancel := context.WithTimeout(t.Context(), within)
		defer cancel()
		began := time.Now()
		err = via.Tunnel(ctx, c.(*net.TCPConn), "shop.test:443", "brunt")
		if late := time.Since(began) - within; late > 10*time.Second {
			t.Fatalf("it came back %v late: %v", late, err)
		}
	})
}
