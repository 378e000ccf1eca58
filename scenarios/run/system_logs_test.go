package run_test

import (
	"os"
	"path/filepath"
	"testing"

	"brunt/scenarios/run"
)

// TestSystem_LogsTellNoSecret: a unit prints its environment, and the logs contain no secret.
func TestSystem_LogsTellNoSecret(t *testing.T) {
	t.Parallel()
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte("open sesame now\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	logs := t.TempDir()
	runOnce(t, `
version: 1
name: talkative
target:
  processes:
    web: {command: [ECHO], env: {SAYS: "${file.`+password+`}, and more"}, ready: {get: /}}
load: {main: {executor: shared-iterations, iterations: 9, vus: 1, flow: [{get: /}]}}
slo: [errors < 50%]
`, run.Options{LogDir: logs})
	got, err := os.ReadFile(filepath.Join(logs, "web-0.log"))
	if want := "it says ***, and more\n"; err != nil || string(got) != want {
		t.Errorf("the log is %q, %v; want %q", got, err, want)
	}
}
