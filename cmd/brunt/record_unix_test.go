//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
)

// TestRecord records two requests by `brunt record`: Ctrl-C ends it, and the scenario is a valid one that sends what
// the first answer says.
func TestRecord(t *testing.T) {
	var forged atomic.Int32 // requests of pages of other origins
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/forged" {
			forged.Add(1)
		}
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/new" {
			fmt.Fprint(w, `{"id": "object-4711"}`)
		}
	}))
	defer target.Close()
	dir := t.TempDir()
	scenario, recording := filepath.Join(dir, "s.yaml"), filepath.Join(dir, "s.har")
	c := exec.Command("brunt", "record", target.URL, "--listen", ":0", "-o", scenario, "--har", recording)
	told, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Process.Kill() }()
	lines := bufio.NewReader(told)
	first, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	at := regexp.MustCompile(`at (http://127\.0\.0\.1:\d+)/`).FindStringSubmatch(first)
	if at == nil {
		t.Fatal(first)
	}
	for _, path := range []string{"/new", "/object-4711"} {
		a, err := http.Get(at[1] + path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, a.Body) // the recorder stops with a client that goes away
		_ = a.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at[1]+"/new", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = "evil.example" // a page of another site, whose name was made to lead here
	if a, err := http.DefaultClient.Do(req); err != nil || a.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("another host: %v, %v", a, err)
	}
	for name, header := range map[string]http.Header{
		"a form of another site":      {"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.example"}},
		"an older browser":            {"Origin": {"https://evil.example"}},
		"a page at another port":      {"Sec-Fetch-Site": {"same-site"}, "Origin": {"http://127.0.0.1:1"}},
		"a WebSocket of another site": {"Upgrade": {"websocket"}, "Origin": {"https://evil.example"}},
	} {
		method := http.MethodPost
		if header.Get("Upgrade") != "" {
			method = http.MethodGet
		}
		req, err := http.NewRequestWithContext(t.Context(), method, at[1]+"/forged", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = header
		a, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(a.Body)
		_ = a.Body.Close()
		if a.StatusCode != http.StatusForbidden || !strings.Contains(string(text), "--origin") || forged.Load() > 0 {
			t.Errorf("%s: %d: %s; the target had %d", name, a.StatusCode, text, forged.Load())
		}
	}
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	var rest bytes.Buffer
	_, _ = rest.ReadFrom(lines)
	if err := c.Wait(); err != nil {
		t.Fatalf("%v: %s", err, rest.String())
	}
	text, err := os.ReadFile(scenario)
	if err != nil || !strings.Contains(string(text), `get: "/${var.id}"`) || !strings.Contains(string(text), "extract:") {
		t.Errorf("%v:\n%s", err, text)
	}
	if out, err := exec.Command("brunt", "validate", scenario).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if text, err := os.ReadFile(recording); err != nil || strings.Count(string(text), `"startedDateTime"`) != 2 {
		t.Errorf("%v:\n%s", err, text)
	}
}
