package dial_test

import (
	"net"
	"testing"

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
