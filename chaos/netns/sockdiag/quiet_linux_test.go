package sockdiag

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios/suite"
)

// TestQuiet ends the connections of clients that ask and think in turn, in both ways that a kernel may have: no request
// is lost. A client whose write fails knows that nothing was sent, and opens another connection.
func TestQuiet(t *testing.T) {
	suite.Needs(t, suite.Root)
	for name, q := range map[string]*Quiet{"eBPF": NewQuiet(), "stopped": {}} {
		t.Run(name, func(t *testing.T) {
			defer q.Close()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			suite.Serve(t, l, func(c net.Conn) {
				defer c.Close()
				defer context.AfterFunc(t.Context(), func() { _ = c.Close() })()
				for b := make([]byte, 8); ; {
					if _, err := io.ReadFull(c, b); err != nil {
						return
					}
					time.Sleep(rand.N(2 * time.Millisecond)) // simulates work
					if _, err := c.Write(b); err != nil {
						return
					}
				}
			})
			at := l.Addr().(*net.TCPAddr).AddrPort()
			var over atomic.Bool
			var opened, asked atomic.Int64
			var all sync.WaitGroup
			const clients = 8
			for range clients {
				all.Go(func() {
					var c net.Conn
					defer func() {
						if c != nil {
							_ = c.Close()
						}
					}()
					for b := make([]byte, 8); !over.Load(); asked.Add(1) {
						n := 0
						if c != nil {
							n, _ = c.Write(b)
						}
						if n == 0 {
							if c != nil {
								_ = c.Close()
							}
							var err error
							if c, err = net.Dial("tcp", at.String()); err != nil {
								t.Error(err)
								return
							}
							opened.Add(1)
							if _, err := c.Write(b); err != nil {
								t.Error(err)
								return
							}
						}
						if _, err := io.ReadFull(c, b); err != nil {
							t.Error("a request was lost:", err)
							return
						}
						time.Sleep(rand.N(2 * time.Millisecond)) // simulates a user who thinks
					}
				})
			}
			const enough = 200 // connections to end
			suite.Until(t, "connections ended", func() bool {
				if _, err := q.End([]End{{Addr: at}}, 0); err != nil {
					t.Error(err)
				}
				return t.Failed() || opened.Load() >= enough+clients
			})
			over.Store(true)
			all.Wait()
			t.Logf("%d connections, %d requests", opened.Load(), asked.Load())
		})
	}
}
