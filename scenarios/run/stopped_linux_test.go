package run_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"brunt/scenarios/suite"
)

// endWithBrunt are the faults that last as long as brunt: the watchdog can revert them only by ending brunt.
var endWithBrunt = []string{"fill", "burn", "throttle"}

// TestStopped stops brunt while a fault is in, until its watchdog has reverted the fault, and lets it go on. brunt
// either is ended by then, or says that the run is invalid and when the fault was taken back. Nothing is left.
func TestStopped(t *testing.T) {
	for name, fault := range killFaults {
		if strings.Contains(fault, "for: 300ms") || name == "group" {
			t.Run(name, func(t *testing.T) {
				if testing.Short() && name != "freeze" {
					t.Skip("each needs as long as the watchdog is patient")
				}
				t.Parallel()
				if slices.Contains(rootFaults, name) {
					needsRoot(t)
				}
				m := newKilledRun(t)
				text := strings.NewReplacer("for: 300ms", "for: 40s", "for: 400ms", "for: 40s", "duration: 900ms", "duration: 60s").Replace(killScenario(fault, m))
				out, ended := m.resumed(t, m.brunt("brunt", m.file(t, text), m.state, "guard", "0"))
				switch {
				case ended && slices.Contains(endWithBrunt, name):
				case ended, !strings.Contains(out, "verdict invalid"), !strings.Contains(out, "runt itself stood still from"):
					t.Errorf("ended %v: %s", ended, out)
				}
				if left := m.clean(t); len(left) > 0 {
					t.Errorf("left %v", left)
				}
			})
		}
	}
}

// TestStopped_Outside does the same with a target that brunt did not start: the run goes on without its fault, whose
// phase ends when the watchdog reverted it.
func TestStopped_Outside(t *testing.T) {
	if testing.Short() {
		t.Skip("each needs as long as the watchdog is patient")
	}
	for name, load := range map[string]string{
		"open":   `{executor: constant-arrival-rate, rate: 50/s, duration: 40s, timeout: 300ms, flow: [{get: /}]}`,
		"closed": `{executor: constant-vus, vus: 2, duration: 40s, timeout: 300ms, flow: [{get: /}, {think: 20ms}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newKilledRun(t)
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }))
			defer s.Close()
			file := scenario(t, fmt.Sprintf(`
version: 1
name: stopped
target: {url: %q}
load:
  main: %s
chaos:
  it: {at: 4s, for: 18s, process.freeze: {pid: %d}}
  next: {after: it, wait: 200ms, for: 300ms, process.freeze: {pid: %d}}
slo: ["errors < 50%%", "errors < 50%% in it", recover < 5s after it]
`, s.URL, load, m.stranger.Process.Pid, m.stranger.Process.Pid))
			m.invalidAfter(t, m.brunt("brunt", file, m.state, "guard", "0"))
		})
	}
}

// TestStopped_Inject does the same without a load.
func TestStopped_Inject(t *testing.T) {
	if testing.Short() {
		t.Skip("it needs as long as the watchdog is patient")
	}
	t.Parallel()
	m := newKilledRun(t)
	m.invalidAfter(t, m.brunt("break", m.state, "guard", "0", "process.freeze", "pid="+strconv.Itoa(m.stranger.Process.Pid), "for=40s"))
}

// invalidAfter stops a brunt and lets it go on. It goes on to the verdict that its fault was taken back, and leaves
// nothing.
func (m *killedRun) invalidAfter(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	out, ended := m.resumed(t, cmd)
	if ended || !strings.Contains(out, "verdict invalid") || !strings.Contains(out, "and its watchdog took the fault back at") {
		t.Errorf("ended %v: %s", ended, out)
	}
	if left := m.clean(t); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

// resumed stops a brunt once its fault is in, until the watchdog has reverted all, and lets it go on. It returns
// brunt's output, and whether the watchdog ended brunt.
func (m *killedRun) resumed(t *testing.T, cmd *exec.Cmd) (output string, ended bool) {
	t.Helper()
	var out bytes.Buffer
	mark := filepath.Join(t.TempDir(), "verified")
	cmd.Env = append(cmd.Env, "BRUNT_TEST_MARK="+mark)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	over := make(chan error, 1)
	go func() { over <- cmd.Wait() }()
	const patience = 30 * time.Second
	is := func(what string) bool {
		names, _ := filepath.Glob(m.state + "/*.journal")
		return slices.ContainsFunc(names, func(name string) bool { return strings.Contains(journalText(name), what) })
	}
	suite.Until(t, "the fault to be in", func() bool { _, err := os.Stat(mark); return err == nil })
	_ = cmd.Process.Signal(syscall.SIGSTOP)
	var err error
	if !suite.Within(patience, func() bool {
		select {
		case err = <-over:
			ended = true
		default:
		}
		return ended || is(`"by":"guard"`)
	}) {
		t.Error("the watchdog did nothing")
	}
	_ = cmd.Process.Signal(syscall.SIGCONT)
	if !ended {
		select {
		case err = <-over:
		case <-time.After(time.Minute):
			_ = cmd.Process.Kill()
			t.Errorf("it does not end: %v", <-over)
		}
	}
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		ended = failed.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
	}
	return out.String(), ended
}

// journalText returns what a journal contains, nothing if it is gone.
func journalText(name string) string {
	b, _ := os.ReadFile(name)
	return string(b)
}
