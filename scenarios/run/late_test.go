//go:build unix

package run

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestLate stops brunt itself for a while: requests sent too late do not count against the target,
// and the run is invalid, whatever else failed in it.
func TestLate(t *testing.T) {
	t.Parallel()
	seen := make(chan struct{})
	var requests atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if requests.Add(1) == 20 { // the load is under way for 200 ms
			close(seen)
		}
		http.Error(w, "no", http.StatusInternalServerError)
	}))
	defer s.Close()
	file := scenario(t, fmt.Sprintf(`
version: 1
name: late
target: {url: %q}
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 3s, flow: [{get: /}]}
slo: [errors < 5%%]
`, s.URL))
	argv := self("brunt", file, t.TempDir(), "none", "0")
	cmd := exec.Command(argv[0], argv[1:]...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-seen:
	case <-time.After(30 * time.Second):
		t.Error("too few requests came")
	}
	freezeFor(t, cmd.Process.Pid, 500*time.Millisecond)
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	if got := out.String(); !strings.Contains(got, "verdict invalid P99 lag") || !strings.Contains(got, "brunt itself was late") {
		t.Errorf("%s", got)
	}
}

// freezeFor stops a process for a while.
func freezeFor(t *testing.T, pid int, d time.Duration) {
	t.Helper()
	for _, s := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGCONT} {
		if err := syscall.Kill(pid, s); err != nil {
			t.Error(err)
		}
		if s == syscall.SIGSTOP {
			time.Sleep(d)
		}
	}
}
