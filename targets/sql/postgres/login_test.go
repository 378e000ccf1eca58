package postgres

import (
	"errors"
	"net"
	"os"
	"testing"
)

// TestLoginConn: no read of a login takes bytes that come after it.
func TestLoginConn(t *testing.T) {
	own, server := net.Pipe()
	defer own.Close()
	defer server.Close()
	c := &loginConn{Conn: own}
	late := make(chan error)
	go func() {
		_, err := c.Read(make([]byte, 9))
		late <- err
	}()
	c.end()
	if err := <-late; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the read of the login: %v", err)
	}
	if _, err := c.Read(make([]byte, 9)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a later one: %v", err)
	}
	go func() { _, _ = server.Write([]byte("answer")) }()
	b := make([]byte, 9)
	if n, err := own.Read(b); string(b[:n]) != "answer" {
		t.Errorf("the first answer: %q, %v", b[:n], err)
	}
}
