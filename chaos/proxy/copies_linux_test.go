package proxy_test

import (
	"net"
	"testing"
	"time"

	"brunt/chaos/netns/netnstest"
	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
)

// TestProxy_WithCopies ends connections while another process holds copies of all descriptors: the
// peer must not wait for that process.
func TestProxy_WithCopies(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(t *testing.T, p *proxy.Proxy)
		want proxy.Outcome
	}{
		{"reset by a toxic", func(t *testing.T, p *proxy.Proxy) { add(t, p, toxics.Reset{}) }, proxy.WasReset},
		{"closed by the proxy's end", func(t *testing.T, p *proxy.Proxy) {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
			if c, err := net.DialTimeout("tcp", p.Addr(), time.Second); err == nil {
				c.Close()
				t.Error("it listens still")
			}
		}, proxy.WasClosed},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := make(chan proxy.Outcome, 1)
			p := start(t, serve(t, func(up *net.TCPConn) {
				b := make([]byte, 1)
				for {
					if _, err := up.Read(b); err != nil {
						at <- proxy.OutcomeOf(err)
						return
					}
					_, _ = up.Write(b)
				}
			}), proxy.Config{})
			down := dial(t, p)
			ask(t, down, "x")
			forget := netnstest.Copies(t)
			defer forget()
			c.end(t, p)
			_ = down.SetReadDeadline(time.Now().Add(patience))
			if _, err := down.Read(make([]byte, 1)); proxy.OutcomeOf(err) != c.want {
				t.Errorf("the client saw %v", err)
			}
			select {
			case got := <-at:
				if got != c.want {
					t.Errorf("the upstream saw %v", got)
				}
			case <-time.After(patience):
				t.Error("the upstream waits")
			}
		})
	}
}
