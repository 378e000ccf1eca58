//go:build linux

package run_test

import (
	"io"
	"net"
	"net/url"
	"testing"

	"brunt/chaos/chaostest"
)

// relay is a proxy before the engine, listening at l. It passes the bytes sent to the engine to see,
// which reports whether to continue; otherwise the connection ends. The relay ends with the test.
func relay(t *testing.T, y *chaostest.Yard, l net.Listener, see func(said []byte) bool) {
	t.Helper()
	engine, err := url.Parse(y.Engine.Address().Host)
	if err != nil || engine.Scheme != "unix" {
		t.Fatalf("the engine %s has no socket", y.Engine.Address().Host)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				e, err := net.Dial("unix", engine.Path)
				if err != nil {
					return
				}
				defer e.Close()
				go func() {
					defer closeWrite(e)
					b := make([]byte, 64<<10)
					for {
						n, err := c.Read(b)
						if n > 0 && !see(b[:n]) {
							_ = e.Close()
							return
						}
						if _, werr := e.Write(b[:n]); err != nil || werr != nil {
							return
						}
					}
				}()
				_, _ = io.Copy(c, e)
			}()
		}
	}()
}

func closeWrite(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}
