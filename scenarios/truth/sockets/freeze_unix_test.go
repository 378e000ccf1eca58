//go:build unix

package sockets_test

import (
	"os"
	"syscall"
	"testing"
	"time"

	"brunt/scenarios/suite"
	"brunt/scenarios/truth"
)

// freeze stops brunt for d, 3 s after its first request.
func freeze(t *testing.T, p *os.Process, s *truth.Server, d time.Duration) {
	if !suite.Within(20*time.Second, func() bool { return s.Log.Arrived() >= 300 }) {
		t.Error("no 300 requests came in 20 s")
		return
	}
	if err := p.Signal(syscall.SIGSTOP); err != nil {
		t.Error(err)
	}
	time.Sleep(d) // simulates a freeze of this length
	if err := p.Signal(syscall.SIGCONT); err != nil {
		t.Error(err)
	}
}
