//go:build linux || darwin

package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"brunt/scenarios/suite"

	"github.com/creack/pty"
)

// TestTerminal_Pty checks that on a real terminal the block is redrawn at once each second,
// without a clear before, in the current size; without colours if they are off; and as lines
// if it cannot be redrawn.
func TestTerminal_Pty(t *testing.T) {
	suite.Needs(t, suite.Terminal)
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(s.Close)
	dir := t.TempDir()
	file := filepath.Join(dir, "s.yaml")
	var slo []string
	for i := range 30 {
		slo = append(slo, fmt.Sprintf("p95 < %dms", 100+i))
	}
	if err := os.WriteFile(file, fmt.Appendf(nil,
		"version: 1\ntarget: {url: %q}\nload: {main: {executor: constant-arrival-rate, rate: 50/s, duration: "+
			"4s, flow: [{get: /}]}}\nslo: [%s]\n",
		s.URL, strings.Join(slo, ", ")), 0o644); err != nil {
		t.Fatal(err)
	}
	run := func(t *testing.T, resize bool, env ...string) string {
		cmd := exec.Command("brunt", "run", file, "-o", filepath.Join(t.TempDir(), "out"))
		cmd.Env = append(append(os.Environ(), "BRUNT_STATE="+filepath.Join(dir, "state"), "TERM=xterm-256color", "NO_COLOR="),
			env...)
		f, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if resize {
			time.AfterFunc(2500*time.Millisecond, func() { _ = pty.Setsize(f, &pty.Winsize{Rows: 12, Cols: 40}) })
		}
		b, _ := io.ReadAll(f) // returns an error when the terminal closes
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 0 && code != 5 { // the machine may be busy
			t.Fatalf("exit code %d: %s", code, b)
		}
		return string(b)
	}
	escapes := regexp.MustCompile("\x1b\\[[0-9;?]*[a-zA-Z]")
	frame := regexp.MustCompile("(?s)\x1b\\[\\?2026h(.*?)\x1b\\[\\?2026l")
	t.Run("redrawn", func(t *testing.T) {
		t.Parallel()
		out := run(t, true)
		frames := frame.FindAllStringSubmatch(out, -1)
		if len(frames) < 3 {
			t.Fatalf("%d frames in %q", len(frames), out)
		}
		sizes := map[int]int{}
		for _, m := range frames {
			text := strings.TrimSuffix(m[1], "\x1b[J")
			if strings.Contains(text, "J") {
				t.Errorf("it is cleared first: %q", text)
			}
			lines := strings.Split(strings.ReplaceAll(escapes.ReplaceAllString(text, ""), "\r", ""), "\n")
			wide := 0
			for _, l := range lines {
				wide = max(wide, len([]rune(l)))
			}
			if len(lines) > 23 || wide > 79 {
				t.Errorf("%d lines, %d columns:\n%s", len(lines), wide, strings.Join(lines, "\n"))
			}
			if !strings.HasPrefix(lines[len(lines)-1], "and ") {
				t.Errorf("the last line is %q", lines[len(lines)-1])
			}
			if wide <= 39 && len(lines) <= 11 {
				sizes[40]++
			} else {
				sizes[80]++
			}
		}
		if sizes[40] == 0 || sizes[80] == 0 {
			t.Errorf("frames by the size of the terminal: %v", sizes)
		}
	})
	t.Run("without colours", func(t *testing.T) {
		t.Parallel()
		if out := run(t, false, "NO_COLOR=1"); regexp.MustCompile("\x1b\\[[0-9;]*m").MatchString(out) ||
			!frame.MatchString(out) {
			t.Errorf("%q", out)
		}
	})
	t.Run("dumb", func(t *testing.T) {
		t.Parallel()
		if out := run(t, false, "TERM=dumb"); strings.Contains(out, "\x1b") {
			t.Errorf("%q", out)
		}
	})
}
