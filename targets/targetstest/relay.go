package targetstest

import (
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// A Relay passes bytes between clients and a server. It drops every third answer and ends that answer's connection.
type Relay struct {
	net.Listener
	to      string
	reset   bool // connections end with a reset
	greets  bool // the server speaks first
	answers atomic.Int64
}

// StartRelay starts a relay to host:port that ends with the test. With reset it ends connections with a reset. With
// greets the server speaks first.
func StartRelay(t testing.TB, to string, reset, greets bool) *Relay {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &Relay{Listener: l, to: to, reset: reset, greets: greets}
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
func (r *Relay) pass(c *net.TCPConn) {
	defer c.Close()
	s, err := net.Dial("tcp", r.to)
	if err != nil {
		return
	}
	defer s.Close()
	b := make([]byte, 4<<10)
	if r.greets {
		n, err := s.Read(b)
		if err != nil {
			return
		}
		if _, err := c.Write(b[:n]); err != nil {
			return
		}
	}
	for {
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
