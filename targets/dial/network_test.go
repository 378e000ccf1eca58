package dial_test

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/targets"
	"brunt/targets/dial"
)

// TestNetwork_Peers: a connection counts for the address that accepted it, and a refused one for none.
func TestNetwork_Peers(t *testing.T) {
	open, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	shut, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	shut.Close()
	var peers targets.Peers
	n, err := dial.NewNetwork(&targets.Options{Peers: &peers})
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range []net.Listener{open, open, shut} {
		c, err := n.Dial(t.Context(), l.Addr().String(), uint64(i))
		if err == nil {
			c.Close()
		}
		if (err == nil) != (l == open) {
			t.Errorf("connection %d: %v", i, err)
		}
	}
	if got := peers.Opened(); len(got) != 1 || got[open.Addr().String()] != 2 {
		t.Errorf("the peers are %v, want 2 connections to %s", got, open.Addr())
	}
}

// TestNetwork_SourceAddresses: sockets of UDP have the source addresses in turn, and reach no address of another
// family.
func TestNetwork_SourceAddresses(t *testing.T) {
	server, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	var o targets.Options
	o.Connections.SourceAddresses = []string{"127.0.0.2", "127.0.0.3"}
	n, err := dial.NewNetwork(&o)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 10)
	for i := range 4 {
		c, err := n.DialUDP(t.Context(), server.LocalAddr().String(), uint64(i))
		if err != nil && i == 0 {
			t.Skipf("this system has no address 127.0.0.2: %v", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.Write([]byte("hi"))
		_ = c.Close()
		if err != nil {
			t.Fatal(err)
		}
		_, from, err := server.ReadFrom(b)
		if err != nil {
			t.Fatal(err)
		}
		if host, _, _ := net.SplitHostPort(from.String()); host != o.Connections.SourceAddresses[i%2] {
			t.Errorf("socket %d came from %s", i, host)
		}
	}
	o.Connections.SourceAddresses = []string{"::1"}
	if n, err = dial.NewNetwork(&o); err != nil {
		t.Fatal(err)
	}
	if c, err := n.DialUDP(t.Context(), server.LocalAddr().String(), 0); err == nil {
		_ = c.Close()
		t.Error("an IPv4 address was reached from an IPv6 one")
	}
}

// TestNetwork_SeveralPlaces: connections go to the places of a name in turn, and to the next one if one does not accept
// them, or its name is unknown. What each place accepted is counted there.
func TestNetwork_SeveralPlaces(t *testing.T) {
	var at []net.Listener
	accepted := make([]atomic.Int64, 2)
	var serving sync.WaitGroup
	for i := range accepted {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		at = append(at, l)
		serving.Go(func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				accepted[i].Add(1)
				c.Close()
			}
		})
	}
	n, err := dial.NewNetwork(&targets.Options{Resolve: map[string]string{
		"shop.test":     at[0].Addr().String() + ", " + at[1].Addr().String(),
		"half.test:80":  "nowhere.invalid:80," + at[1].Addr().String(),
		"none.test:443": "nowhere.invalid",
	}})
	if err != nil {
		t.Fatal(err)
	}
	n.UseAsker(time.Now, func(_ context.Context, host string) ([]netip.Addr, time.Duration, error) {
		return nil, 0, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	})
	var numbered uint64
	dials := func(to string, times int) {
		for range times {
			c, err := n.Dial(t.Context(), to, numbered)
			if numbered++; err != nil {
				t.Fatalf("connection %d to %s: %v", numbered, to, err)
			}
			_, _ = c.Read(make([]byte, 1)) // until it was accepted, and closed
			c.Close()
		}
	}
	counts := func(first, second int64) {
		t.Helper()
		if a, b := accepted[0].Swap(0), accepted[1].Swap(0); a != first || b != second {
			t.Errorf("the places accepted %d and %d connections, want %d and %d", a, b, first, second)
		}
	}
	dials("shop.test:80", 6)
	counts(3, 3)
	dials("half.test:80", 2)
	counts(0, 2)
	at[0].Close()
	dials("shop.test:80", 6)
	counts(0, 6)
	at[1].Close()
	serving.Wait()
	for _, to := range []string{"shop.test:80", "none.test:443"} {
		if c, err := n.Dial(t.Context(), to, 0); err == nil {
			c.Close()
			t.Errorf("a connection to %s, where nothing listens", to)
		}
	}
}
