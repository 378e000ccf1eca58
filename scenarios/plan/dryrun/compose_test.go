package dryrun_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brunt/scenarios/plan/dryrun"
	"brunt/scenarios/plan/plantest"
)

// TestDryRun_NoComposeCommand checks that a dry run refuses a Compose project on a machine with an engine and without
// the Compose command, as the run does.
func TestDryRun_NoComposeCommand(t *testing.T) {
	engine := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Api-Version", "1.41")
	}))
	defer engine.Close()
	t.Setenv("DOCKER_HOST", "tcp://"+engine.Listener.Addr().String())
	file := filepath.Join(t.TempDir(), "compose.yaml")
	if err := os.WriteFile(file, []byte("services: {web: {image: web, expose: [\"8080\"]}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	plan, err := plantest.CompileText(`
version: 1
target: {compose: ` + file + `, entry: web}
load: {main: {executor: constant-arrival-rate, rate: 1/s, duration: 10s, flow: [{get: /}]}}
chaos: {it: {at: 2s, for: 1s, process.freeze: {service: web}}}
`)
	if err != nil {
		t.Fatal(plantest.Explained(err))
	}
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	const want = "the target would not be started: there is no Compose command"
	if _, err := dryrun.Run(t.Context(), plan); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("without the command the error is %v", err)
	}
	command := "#!/bin/sh\n"
	if err := os.WriteFile(filepath.Join(bin, "docker-compose"), []byte(command), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := dryrun.Run(t.Context(), plan); err != nil {
		t.Errorf("with the command the error is %v", err)
	}
}
