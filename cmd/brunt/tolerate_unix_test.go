//go:build unix

package main

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"brunt/scenarios/suite"
)

// TestTolerate_Ended ends a search while a fault is in: nothing is left behind, and a signal that brunt can handle has
// its own exit code.
func TestTolerate_Ended(t *testing.T) {
	suite.Needs(t, suite.In("kill"))
	if testing.Short() {
		t.Skip("it builds brunt")
	}
	srv := httptest.NewServer(atOnce)
	defer srv.Close()
	brunt := built(t, ".")
	file := filepath.Join(t.TempDir(), "s.yaml")
	if err := os.WriteFile(file, fmt.Appendf(nil, tolerateScenario, srv.URL), 0o644); err != nil {
		t.Fatal(err)
	}
	for signal, want := range map[syscall.Signal]int{syscall.SIGTERM: 143, syscall.SIGINT: 130, syscall.SIGKILL: -1} {
		t.Run(signal.String(), func(t *testing.T) {
			state, history := t.TempDir(), filepath.Join(t.TempDir(), "history")
			command := func(args ...string) *exec.Cmd {
				c := exec.Command(brunt, args...)
				c.Env = append(os.Environ(), "BRUNT_STATE="+state)
				return c
			}
			var said strings.Builder
			c := command("tolerate", file, "slow", "delay", "--to", "600ms", "--set", "limit=30s", "--set", "most=99%",
				"--confirm", "1", "--history", history)
			c.Stdout, c.Stderr = &said, &said
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			journals := func() []string {
				files, _ := filepath.Glob(filepath.Join(state, "*.journal"))
				return files
			}
			in := suite.Within(3*time.Minute, func() bool {
				for _, file := range journals() {
					if text, _ := os.ReadFile(file); strings.Contains(string(text), "undo") {
						return true
					}
				}
				return false
			})
			_ = c.Process.Signal(signal)
			if err := c.Wait(); err != nil && !errors.As(err, new(*exec.ExitError)) {
				t.Fatal(err)
			}
			if code := c.ProcessState.ExitCode(); !in || code != want {
				t.Errorf("a fault was in: %t; exit code %d, want %d\n%s", in, code, want, &said)
			}
			if strings.Contains(said.String(), "contradicted") {
				t.Errorf("no probes contradicted each other:\n%s", &said)
			}
			if !suite.Within(time.Minute, func() bool { return len(journals()) == 0 }) {
				t.Errorf("it left %v", journals())
			}
			out, err := command("status").CombinedOutput()
			if err != nil || !strings.Contains(string(out), "nothing is left behind") {
				t.Errorf("status: %s, %v", out, err)
			}
			if _, err := os.Stat(history); err == nil {
				t.Error("a search that was ended is in the history")
			}
		})
	}
}
