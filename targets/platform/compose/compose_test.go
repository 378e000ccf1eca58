package compose_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/scenarios/syntax"
	"brunt/targets/platform"
	"brunt/targets/platform/compose"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/platformtest"
)

func TestMain(m *testing.M) { platformtest.Main(m) }

// read reads a Compose file with this text.
func read(t *testing.T, text, entry string, env map[string]string) (platform.Spec, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "compose.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	m := syntax.NewMistakes(func(s string) string { return s }, nil)
	return compose.Read(&scenarios.Compose{File: path, Env: env}, entry, m), m.Err()
}

func TestRead(t *testing.T) {
	spec, err := read(t, `
services:
  web: {image: "web:${TAG}", ports: ["80:8080"], restart: unless-stopped, stop_grace_period: 3s, deploy: {replicas: 2}}
  store: {image: store, expose: ["8081/tcp"], restart: "on-failure:3"}
  job: {image: job, restart: "no"}
`, "web", map[string]string{"TAG": "v7"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range spec.Services {
		got = append(got, fmt.Sprintf("%s %d %d %s %s %s", s.Name, s.Replicas, s.Port, s.Restart, s.Grace, s.Container.Image))
	}
	want := fmt.Sprintf("job 1 0 never %[1]s job\nstore 1 8081 on-failure %[1]s store\nweb 2 8080 unless-stopped 3s "+
		"web:v7", platform.DefaultGrace)
	if strings.Join(got, "\n") != want || spec.Entry != "web" || spec.Platform != platform.Docker {
		t.Errorf("%s, entry %q; want\n%s", strings.Join(got, "\n"), spec.Entry, want)
	}
}

func TestRead_Mistakes(t *testing.T) {
	for _, c := range []struct{ name, text, entry, want string }{
		{"no service", "services: {}", "", "the Compose file has no service"},
		{
			"a name that no scenario can use", "services: {Web_1: {image: x}, ok: {image: x}}", "ok",
			`service "Web_1" of the Compose file`,
		},
		{
			"no entry", "services: {a: {image: x}, b: {image: x}}", "",
			"`entry` is missing: the service that a relative path goes to, one of a, b",
		},
		{"no YAML", "services: [", "", "the Compose file: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := read(t, c.text, c.entry, nil); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestCompose_DockerLifecycle: a project comes up under a name of its own, and is gone afterwards with
// its networks.
func TestCompose_DockerLifecycle(t *testing.T) {
	suite.Needs(t, suite.Docker, suite.Compose, suite.In("docker"))
	e := platformtest.Engine(t)
	if _, err := compose.Command(t.Context()); err != nil {
		suite.Lack(t, "%v", err)
	}
	image := platformtest.Image(t, e)
	run := platformtest.Run(t, e, containers.ComposeProject, compose.ProjectName(""))
	spec, err := read(t, fmt.Sprintf(`
version: "3.8"
services:
  web: {image: %[1]s, command: [serve, ":8080"], expose: ["8080"], stop_grace_period: 1s}
  store: {image: %[1]s, command: [serve, ":8081"], expose: ["8081"], stop_grace_period: 1s}
`, image), "web", nil)
	if err != nil {
		t.Fatal(err)
	}
	g := compose.New(spec, compose.Options{Run: run, Engine: e})
	began := time.Now()
	if err := g.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("up after %s", time.Since(began))
	defer func() {
		if err := g.Down(t.Context()); err != nil {
			t.Error(err)
		}
		if left, err := e.Labelled(t.Context(), containers.ComposeProject, compose.ProjectName(run)); err != nil ||
			left.Total() != 0 {
			t.Errorf("Down leaves %+v, %v", left, err)
		}
	}()
	if n := len(g.Units()); n != 2 || g.Addr("store[0]") == "" {
		t.Fatalf("%d units, store[0] at %q", n, g.Addr("store[0]"))
	}
	if text, err := platformtest.Get("http://" + g.Addr("web[0]") + "/get?url=http://store:8081/"); err != nil ||
		!strings.Contains(text, "PATH=") {
		t.Errorf("%q, %v", text, err)
	}
}
