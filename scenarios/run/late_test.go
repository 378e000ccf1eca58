//go:build unix

package run_test

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

// TestLate stops brunt itself for a while. What it was too late for does not count against the
// target: an objective on time that this alone breaks is invalid. What the target did wrong counts
// all the same.
func TestLate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status int
		want   string
	}{
		{http.StatusOK, "verdict invalid"},
		{http.StatusInternalServerError, "verdict fail"},
	} {
		t.Run(c.want, func(t *testing.T) {
			t.Parallel()
			seen := make(chan struct{})
			var requests atomic.Int64
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if requests.Add(1) == 20 { // the load is under way for 200 ms
					close(seen)
				}
				w.WriteHeader(c.status)
			}))
			defer s.Close()
			file := scenario(t, fmt.Sprintf(`
version: 1
name: late
target: {url: %q}
load:
  main: {executor: constant-arrival-rate, rate: 100/s, duration: 3s, flow: [{get: /}]}
slo: [errors < 5%%, p90 < 250ms]
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
			freezeFor(t, cmd.Process.Pid, time.Second) // a third of the load; a machine that is busy slows the target by less
			if err := cmd.Wait(); err != nil {
				t.Error(err)
			}
			if got := out.String(); !strings.Contains(got, c.want) {
				t.Errorf("%s", got)
			}
		})
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
			time.Sleep(d) // simulates a freeze of this length
		}
	}
}
