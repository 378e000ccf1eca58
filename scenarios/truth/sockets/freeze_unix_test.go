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

// freeze stops brunt for d, 3 s after its first request. If there is a fault, it waits until that is in as well, which
// may take longer on a busy machine.
func freeze(t *testing.T, p *os.Process, s *truth.Server, d time.Duration, fault bool) {
	if !suite.Within(20*time.Second, func() bool {
		return s.Log.Arrived() >= 300 && (!fault || len(s.Log.Injected()) > 0)
	}) {
		t.Error("no 300 requests, or no fault, came in 20 s")
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
