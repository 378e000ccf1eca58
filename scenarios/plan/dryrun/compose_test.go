package dryrun_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/plan"
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
	dir := t.TempDir()
	for name, text := range map[string]string{
		"compose.yaml": "services: {web: {image: web, expose: [\"8080\"]}}\n",
		"scenario.yaml": `version: 1
target: {compose: compose.yaml, entry: web}
load: {main: {executor: constant-arrival-rate, rate: 1/s, duration: 10s, flow: [{get: /}]}}
chaos: {it: {at: 2s, for: 1s, process.freeze: {service: web}}}
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sc, err := scenarios.Parse(dir, scenarios.Options{Env: os.LookupEnv})
	if err != nil {
		t.Fatal(plantest.Explained(err))
	}
	p, err := plan.Compile(sc, plan.CompileOptions{Self: []string{"brunt"}, Env: os.LookupEnv})
	if err != nil {
		t.Fatal(plantest.Explained(err))
	}
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	const want = "the target would not be started: there is no Compose command"
	if _, err := dryrun.Run(t.Context(), p); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("without the command the error is %v", err)
	}
	command := "#!/bin/sh\n"
	if err := os.WriteFile(filepath.Join(bin, "docker-compose"), []byte(command), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := dryrun.Run(t.Context(), p); err != nil {
		t.Errorf("with the command the error is %v", err)
	}
}
