package mqtt

import (
	"io"
	"net"
	"testing"
	"time"

	"brunt/targets/park"
)

// TestState_Pulse: an answer that brunt had not yet read when its next ping was due is no missing one, and a missing
// one ends the connection a little later.
func TestState_Pulse(t *testing.T) {
	brunt, server := net.Pipe()
	defer brunt.Close()
	go io.Copy(io.Discard, server)
	l := &line{Conn: park.Conn{Conn: brunt}}
	s := &state{timer: time.NewTimer(time.Hour)}
	pulse := func() error { return s.pulse(l, time.Hour) }
	if err := pulse(); err != nil || s.own != 1 {
		t.Fatal(s.own, err)
	}
	if err := pulse(); err != nil || s.own != 1 {
		t.Fatalf("due once: ping %d, %v", s.own, err)
	}
	s.got = 1
	if err := pulse(); err != nil || s.own != 2 {
		t.Fatalf("answered late: ping %d, %v", s.own, err)
	}
	if err := pulse(); err != nil {
		t.Fatal(err)
	}
	if err := pulse(); err == nil {
		t.Fatal("no error for a ping without an answer")
	}
}
