package targetstest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/targets/platform"
)

// Processes returns the spec that the YAML under `processes:` describes, with its mistakes.
func Processes(t *testing.T, yaml, entry string) (platform.Spec, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "scenario.yaml")
	text := "version: 1\ntarget:\n  entry: " + entry + "\n  processes:\n    " +
		strings.ReplaceAll(strings.TrimSpace(yaml), "\n", "\n    ") +
		"\nload: {main: {executor: constant-vus, vus: 1, duration: 1s, flow: [{get: /}]}}\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	sc, err := scenarios.Parse(file, scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	m := sc.Mistakes()
	s := platform.Processes(sc.Target.Processes, sc.Target.Entry, m)
	return s, m.Err()
}
