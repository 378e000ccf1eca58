package run_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brunt/scenarios/run"
)

// What each unit printed is in the run's folder, and the result names the files. Secrets are masked there.
func TestLogs(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	t.Setenv("TOKEN", "a-secret-token")
	p, err := compileFile(scenario(t, `
version: 1
target:
  processes:
    web: {command: [sh, -c, 'echo election of $0 with ${env.TOKEN} >&2; exec "$@"', two, ECHO], replicas: 2, ready: {get: /}}
    quiet: {command: [ECHO], ready: {get: /}}
  entry: web
load: {main: {executor: constant-arrival-rate, rate: 20/s, duration: 300ms, flow: [{get: /}]}}
`))
	if err != nil {
		t.Fatal(err)
	}
	res, err := run.Run(t.Context(), p, run.Options{State: t.TempDir(), LogDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	var units []string
	for _, l := range res.Logs {
		b, err := os.ReadFile(filepath.Join(filepath.Dir(dir), filepath.FromSlash(l.File)))
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		recorded := strings.Contains(text, "election of two") && !strings.Contains(text, "a-secret-token")
		if strings.HasPrefix(l.Unit, "web") && !recorded || int64(len(b)) != l.Bytes {
			t.Errorf("%+v holds %q", l, b)
		}
		units = append(units, l.Unit+" "+l.File)
	}
	if got := strings.Join(units, ", "); !strings.Contains(got, "web[0] logs/web-0.log, web[1] logs/web-1.log") {
		t.Errorf("logs of %s", got)
	}
}
