package proxy_test

import (
	"bytes"
	"io"
	"net"
	"testing"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/toxics"
	"brunt/scenarios/suite"
)

// TestProxy_SmallMessages expects small messages to pass without a pipe, which costs twice as much for them, and large
// ones with one.
func TestProxy_SmallMessages(t *testing.T) {
	p := start(t, serve(t, echo), proxy.Config{})
	c := dial(t, p)
	for range 20 {
		ask(t, c, "a small message")
	}
	if n := p.Pipes(); n > 0 {
		t.Errorf("%d pipes were made for small messages", n)
	}
	big := make([]byte, 8<<20)
	go func() { _, _ = c.Write(big) }()
	if _, err := io.ReadFull(c, make([]byte, len(big))); err != nil {
		t.Fatal(err)
	}
	if p.Pipes() == 0 {
		t.Error("no pipe was made for 8 MiB at once")
	}
	ask(t, c, "a small message")
}

// TestProxy_SmallMessagesHeld stalls a receiver until the proxy holds a part of a small message, adds a toxic and
// reads: nothing is lost or in another order.
func TestProxy_SmallMessagesHeld(t *testing.T) {
	read, got := make(chan struct{}), make(chan []byte, 1)
	p := start(t, serve(t, func(c *net.TCPConn) {
		<-read
		b, _ := io.ReadAll(c)
		got <- b
	}), proxy.Config{})
	c := dial(t, p)
	var sent []byte
	for held := false; !held; { // one message at a time: no two are read at once
		message := bytes.Repeat([]byte{byte(len(sent) >> 12)}, proxy.BufferSize/2)
		if _, err := c.Write(message); err != nil {
			t.Fatal(err)
		}
		sent = append(sent, message...)
		passed := p.Stats().Forward
		suite.Until(t, "the message to pass or stall", func() bool {
			was := passed
			passed = p.Stats().Forward
			held = passed == was && p.Holds()
			return held || passed == int64(len(sent))
		})
	}
	x := add(t, p, toxics.Latency{Delay: 1, Direction: proxy.Both})
	close(read)
	remove(t, x)
	_ = c.CloseWrite()
	if all := <-got; !bytes.Equal(all, sent) {
		t.Errorf("%d bytes came, and %d were sent", len(all), len(sent))
	}
}
