//go:build linux

package run

import (
	"io"
	"net"
	"net/url"
	"testing"

	"brunt/chaos/chaostest"
)

// relay stands between somebody and the engine, at l. See is shown what is said to the engine, as it comes, and
// tells whether it goes on; where it does not, the connection ends. It ends with the test.
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
