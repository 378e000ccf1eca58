package run_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
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

	"brunt/chaos/proc"
	"brunt/scenarios/suite"
)

// TestStopped stops brunt while a fault is in, until its watchdog has reverted the fault, and lets it go on. brunt
// says that the run is invalid and when the fault was taken back. Nothing is left.
func TestStopped(t *testing.T) {
	t.Parallel()
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
				text := strings.NewReplacer("for: 300ms", "for: 40s", "for: 400ms", "for: 40s", "duration: 900ms",
					"duration: 60s").Replace(killScenario(fault, m))
				out, ended := m.resumed(t, m.brunt("brunt", m.file(t, text), m.state, "guard", "0"))
				if ended || !strings.Contains(out, "verdict invalid") || !strings.Contains(out, "runt itself stood still from") {
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

// TestStopped_Link stops brunt while a toxic is on the link to its target. The link goes on with the toxic, and without
// it once the watchdog has taken it off, all while brunt is stopped. The link ends with brunt, which is killed then,
// and so does its process.
func TestStopped_Link(t *testing.T) {
	t.Parallel()
	m := newKilledRun(t)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }))
	defer s.Close()
	file := scenario(t, fmt.Sprintf(`
version: 1
name: stopped
target: {url: %q}
load: {main: {executor: constant-arrival-rate, rate: 20/s, duration: 60s, timeout: 300ms, flow: [{get: /}]}}
chaos: {it: {at: 300ms, for: 50s, http.error: {from: load, to: target, status: 503}}}
`, s.URL))
	mark := filepath.Join(t.TempDir(), "verified")
	m.env = append(m.env, "BRUNT_TEST_MARK="+mark)
	cmd := m.brunt("brunt", file, m.state, "guard", "0")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if left := m.clean(t); len(left) > 0 {
			t.Errorf("left %v: %s", left, out.String())
		}
	}()
	suite.Until(t, "the fault to be in", func() bool { _, err := os.Stat(mark); return err == nil })
	link := linkOf(t, cmd.Process.Pid)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 5 * time.Second}
	status := func() int {
		resp, err := client.Get("http://" + link)
		if err != nil {
			t.Fatalf("the link %q: %v", link, err)
		}
		defer resp.Body.Close()
		return resp.StatusCode
	}
	_ = cmd.Process.Signal(syscall.SIGSTOP)
	suite.Until(t, "brunt to be stopped", func() bool { return state(cmd.Process.Pid) == "T" })
	if got := status(); got != http.StatusServiceUnavailable {
		t.Errorf("while brunt is stopped, the link answers %d", got)
	}
	if !testing.Short() {
		suite.Until(t, "the watchdog to take the fault off the link", func() bool { return status() == http.StatusOK })
	}
	if s := state(cmd.Process.Pid); s != "T" {
		t.Errorf("brunt is in state %q; it was to be stopped all the while", s)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	suite.Until(t, "the link to end", func() bool {
		c,
			err := net.Dial("tcp", link)
		return err != nil || c.Close() != nil
	})
}

// linkOf returns the address of the only link of a brunt: of what the process of its proxies listens on, what answers
// HTTP.
func linkOf(t *testing.T, brunt int) string {
	t.Helper()
	tables, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Timeout: time.Second}
	for _, pid := range proc.Family(brunt) {
		if line, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); !bytes.HasSuffix(line, []byte("\x00proxies\x00")) {
			continue
		}
		files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		for _, file := range files {
			to, _ := os.Readlink(file)
			for line := range strings.Lines(string(tables)) {
				f := strings.Fields(line) // number, local address, remote address, state and so forth
				if len(f) < 10 || f[3] != "0A" || to != "socket:["+f[9]+"]" {
					continue
				}
				_, hex, _ := strings.Cut(f[1], ":")
				port, _ := strconv.ParseInt(hex, 16, 32)
				at := fmt.Sprintf("127.0.0.1:%d", port)
				if resp, err := client.Get("http://" + at); err == nil {
					_ = resp.Body.Close()
					return at
				}
			}
		}
	}
	t.Fatal("brunt has no link")
	return ""
}

// TestStopped_Inject does the same without a load.
func TestStopped_Inject(t *testing.T) {
	if testing.Short() {
		t.Skip("it needs as long as the watchdog is patient")
	}
	t.Parallel()
	m := newKilledRun(t)
	m.invalidAfter(t, m.brunt("break", m.state, "guard", "0", "process.freeze",
		"pid="+strconv.Itoa(m.stranger.Process.Pid), "for=40s"))
}

// invalidAfter stops a brunt and lets it go on. It goes on to the verdict that its fault was taken back, and leaves
// nothing.
func (m *killedRun) invalidAfter(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	out, ended := m.resumed(t, cmd)
	if ended || !strings.Contains(out, "verdict invalid") ||
		!strings.Contains(out, "and its watchdog took the fault back at") {
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
