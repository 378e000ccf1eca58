//go:build linux

package run_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brunt/chaos/chaostest"
	"brunt/scenarios/run"
)

// testDockerLogs: what containers printed is in the run's folder though they are gone, from before a crash and after
// it. The result names the files and their sizes, secrets are masked in them, and of a container that prints more than
// 64 MiB that much is kept.
func testDockerLogs(t *testing.T) {
	y := chaostest.NewYard(t)
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("a-secret-of-the-store\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "logs")
	says := "term 7, elected with ${file." + token + "}, " + strings.Repeat("x", 2000)
	res := runOnce(t, `
version: 1
name: containers
target:
  containers:
    web: {image: "`+y.Name+`", ports: [8080], restart: always, env: {SAYS: "`+says+`"}, ready: {get: /}}
    loud: {image: "`+y.Name+`", ports: [8080], env: {SAYS: "`+says+
		`", PRINTS: "70000000"}, ready: {get: /, within: 60s}}
  entry: web
load: {main: {executor: constant-arrival-rate, rate: 20/s, duration: 3s, timeout: 300ms, flow: [{get: /}]}}
chaos: {crash: {at: 500ms, within: 20s, process.crash: {service: web}}}
`, run.Options{LogDir: dir})
	found := map[string]int64{}
	for _, l := range res.Logs {
		found[l.Unit] = l.Bytes
		b, err := os.ReadFile(filepath.Join(filepath.Dir(dir), filepath.FromSlash(l.File)))
		if err != nil || int64(len(b)) != l.Bytes {
			t.Errorf("%+v has %d bytes, %v", l, len(b), err)
		}
		text := string(b)
		if strings.Contains(text, "a-secret-of-the-store") || !strings.Contains(text, "term 7, elected with ***, xxx") {
			t.Errorf("the log of %s is not masked, or lacks what was printed: %.200q", l.Unit, text)
		}
		cut := strings.HasSuffix(text, "brunt keeps 64 MiB\n")
		switch starts := strings.Count(text, "it listens on"); l.Unit {
		case "web[0]":
			if starts != 2 || cut {
				t.Errorf("the log of web[0] tells of %d starts, want 2: %.200q", starts, text)
			}
		case "loud[0]":
			if !cut || l.Bytes > 64<<20+100 || l.Bytes < 63<<20 {
				t.Errorf("the log of loud[0] has %d bytes, cut: %v; want 64 MiB", l.Bytes, cut)
			}
		}
	}
	if len(found) != 2 || found["web[0]"] == 0 || found["loud[0]"] == 0 {
		t.Errorf("the result names logs of %v, notes %q", found, res.Notes)
	}
}
