package redis_test

import (
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/targets"
)

// relay passes bytes between clients and a server, and ends every third answer's connection before the answer is passed on.
type relay struct {
	net.Listener
	to      string
	reset   bool // it resets what it ends
	answers atomic.Int64
}

// startRelay starts a relay that ends with the test.
func startRelay(t *testing.T, to string, reset bool) *relay {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{Listener: l, to: to, reset: reset}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := r.Accept()
			if err != nil {
				return
			}
			all.Go(func() { r.pass(c.(*net.TCPConn)) })
		}
	})
	t.Cleanup(func() {
		_ = r.Close()
		all.Wait()
	})
	return r
}

// pass relays one connection: a request as a whole, and then its answer.
func (r *relay) pass(c *net.TCPConn) {
	defer c.Close()
	s, err := net.Dial("tcp", r.to)
	if err != nil {
		return
	}
	defer s.Close()
	for b := make([]byte, 4<<10); ; {
		n, err := c.Read(b)
		if err != nil {
			return
		}
		if _, err := s.Write(b[:n]); err != nil {
			return
		}
		if n, err = s.Read(b); err != nil {
			return
		}
		if r.answers.Add(1)%3 == 0 {
			if r.reset {
				_ = c.SetLinger(0)
			}
			return
		}
		if _, err := c.Write(b[:n]); err != nil {
			return
		}
	}
}

// TestReal_NothingIsSentTwice: what the server counted is what was sent, while answers are cut off and connections reset.
func TestReal_NothingIsSentTwice(t *testing.T) {
	s := serve(t)
	for _, reset := range []bool{false, true} {
		s.cli("flushall")
		r := startRelay(t, s.addr, reset)
		f := newFixture(t, targets.Options{Base: "redis://" + r.Addr().String() + "?protocol=2"}, "redis: [INCR, n]") // no login that a cut would hit
		var sent, answered atomic.Int64
		var all sync.WaitGroup
		for vu := range 4 {
			u := f.user(t, vu)
			all.Go(func() {
				for range 100 {
					out := u.Do(0, 5*time.Second)
					sent.Add(out.Written())
					if out.Answered {
						answered.Add(1)
					}
				}
			})
		}
		all.Wait()
		if counted := s.cli("get", "n"); counted != strconv.FormatInt(sent.Load(), 10) || answered.Load() == 0 || answered.Load() == sent.Load() {
			t.Errorf("reset %v: the server counted %s, %d were sent and %d answered", reset, counted, sent.Load(), answered.Load())
		}
	}
}
