//go:build unix

package sockets

import (
	"os"
	"syscall"
	"testing"
	"time"

	"brunt/scenarios/truth"
)

// freeze stops brunt for d, 3 s after its first request.
func freeze(t *testing.T, p *os.Process, s *truth.Server, d time.Duration) {
	for deadline := time.Now().Add(20 * time.Second); s.Log.Arrived() < 300; {
		if time.Now().After(deadline) {
			t.Error("no 300 requests came in 20 s")
			return
		}
		time.Sleep(5 * time.Millisecond) // between two looks
	}
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		t.Error(err)
	}
	time.Sleep(d) // the length of the freeze
	if err := p.Signal(syscall.SIGCONT); err != nil {
		t.Error(err)
	}
}
