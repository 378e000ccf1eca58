//go:build linux

package run_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brunt/scenarios/suite"
)

// TestKilled_WaitingForOperator kills brunt while a fault waits for an operator and two others are in. Nothing of the
// two is left, the one that waited is never injected, and the target is gone.
func TestKilled_WaitingForOperator(t *testing.T) {
	suite.Needs(t, suite.In("kill"))
	m := newKilledRun(t)
	waits := filepath.Join(t.TempDir(), "waits")
	m.env = append(m.env, "BRUNT_TEST_WAITS="+waits)
	text := strings.ReplaceAll(killScenario(
		`{at: 300ms, wait: {for: operator, at_most: 60s}, for: 1s, webhook: {inject: {post: "HOOK"},
      verify: {get: "HOOK", check: {body: "on"}}, revert: {delete: "HOOK"}}}
  frozen: {at: 100ms, for: 61s, process.freeze: {pid: PID}}
  file: {at: 100ms, for: 61s, exec: {inject: [touch, "FLAG"], verify: [test, -e, "FLAG"],
      revert: [rm, -f, "FLAG"]}}`, m),
		"900ms", "64s")
	cmd := m.brunt("brunt", m.file(t, text), m.state, "guard", "0")
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	there := func(path string) bool {
		_, err := os.Stat(path)
		return err == nil
	}
	suite.Until(t, "it waits while both faults are in", func() bool {
		return there(waits) && there(m.flag) && state(m.stranger.Process.Pid) == "T"
	})
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if left := m.clean(t); len(left) > 0 {
		t.Errorf("it left %v\n%s", left, out.String())
	}
}
