package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestRenamed checks what a publication renames in a text, and what it leaves as it is.
func TestRenamed(t *testing.T) {
	const path = "example.org/team/brunt"
	for _, c := range []struct{ file, text, want string }{
		{"a.go", `import "brunt/chaos"`, `import "example.org/team/brunt/chaos"`},
		{"a.go", `strings.TrimPrefix(p, "brunt/")`, `strings.TrimPrefix(p, "example.org/team/brunt/")`},
		{"a.go", `// [brunt/scenarios/run.Run]`, `// [example.org/team/brunt/scenarios/run.Run]`},
		{"a.go", `Agent: "brunt/test"`, `Agent: "brunt/test"`},
		{"a.go", `"/tmp/brunt/cmd"`, `"/tmp/brunt/cmd"`},
		{"a.go", `"cmd/brunt/live.go"`, `"cmd/brunt/live.go"`},
		{"go.mod", "module brunt\n", "module example.org/team/brunt\n"},
		{"go.mod", "module brunt/cmd/brunt-k6\n", "module example.org/team/brunt/cmd/brunt-k6\n"},
		{
			"go.mod", "replace brunt => ../..\nrequire (\n\tbrunt v0.0.0\n)\n",
			"replace example.org/team/brunt => ../..\nrequire (\n\texample.org/team/brunt v0.0.0\n)\n",
		},
		{
			"run", "go build ./cmd/brunt; go test brunt/scenarios/run",
			"go build ./cmd/brunt; go test example.org/team/brunt/scenarios/run",
		},
		{"run.png", "brunt/chaos", "brunt/chaos"},
	} {
		if got := renamed(c.file, c.text, path); got != c.want {
			t.Errorf("%s: %q becomes %q, want %q", c.file, c.text, got, c.want)
		}
	}
}

// consumer is a program that uses brunt as a library: it plays a scenario against a server of its own and prints the
// verdict.
const consumer = `package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"os"

	"MODULE/scenarios"
	"MODULE/scenarios/plan"
	"MODULE/scenarios/run"
)

func main() {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	scenario, err := scenarios.Parse(os.Args[1], scenarios.Options{Set: map[string]string{"url": server.URL}})
	if err != nil {
		log.Fatal(err)
	}
	p, err := plan.Compile(scenario, plan.CompileOptions{})
	if err != nil {
		log.Fatal(err)
	}
	found, err := run.Run(context.Background(), p, run.Options{State: os.Args[2]})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found.Verdict, len(found.Objectives), found.Reason)
}
`

// consumerTest is a test of Go that plays the scenario by brunttest.
const consumerTest = `package main

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"MODULE/scenarios/brunttest"
)

func TestMain(m *testing.M) { brunttest.Main(m) }

func TestPlayed(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	brunttest.Run(t, "scenario.yaml", brunttest.Set("url", server.URL))
}
`

const played = `version: 1
params: {url: ""}
target: {url: "${url}"}
load: {main: {executor: constant-arrival-rate, rate: 200/s, duration: 2s, flow: [{get: /}]}}
slo: [errors < 1%]
`

// TestRelease_Module fetches the published module as others would: a consumer's program is built against it, and the
// command is installed. Modules of others come from the module cache.
func TestRelease_Module(t *testing.T) {
	if *published == "" {
		t.Skip("no publication is given: .ci/full release")
	}
	lists, err := filepath.Glob(filepath.Join(*published, "*", "*", "*", "@v", "list"))
	if err != nil || len(lists) != 1 {
		t.Fatal(lists, err)
	}
	path, err := filepath.Rel(*published, filepath.Dir(filepath.Dir(lists[0])))
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile(lists[0])
	if err != nil {
		t.Fatal(err)
	}
	path, version := filepath.ToSlash(path), strings.TrimSpace(string(list))
	dir := t.TempDir()
	own := filepath.Join(dir, "modules")
	theirs := filepath.Join(strings.TrimSpace(run(t, "go", "env", "GOMODCACHE")), "cache", "download")
	env := append(os.Environ(), "GOBIN="+dir, "GOMODCACHE="+own, "GONOSUMDB=*", "CGO_ENABLED=0",
		"GOFLAGS=-mod=mod -modcacherw -trimpath", "GOPROXY=file://"+*published+",file://"+theirs)
	in := func(name string, args ...string) string {
		t.Helper()
		c := exec.Command(name, args...)
		c.Dir, c.Env = dir, env
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	in("go", "install", path+"/cmd/brunt@"+version)
	if said := in(filepath.Join(dir, "brunt"), "version"); !strings.HasPrefix(said, "brunt "+version+"\n") {
		t.Errorf("the command says: %s", said)
	}
	for name, text := range map[string]string{
		"main.go": strings.ReplaceAll(consumer, "MODULE", path), "scenario.yaml": played,
		"main_test.go": strings.ReplaceAll(consumerTest, "MODULE", path),
		"go.mod":       "module consumer\n\ngo 1.26.0\n\nrequire " + path + " " + version + "\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	in("go", "build", "-o", "consumer", ".")
	if said := in(filepath.Join(dir, "consumer"), "scenario.yaml", filepath.Join(dir, "state")); !strings.HasPrefix(said,
		"pass 1 ") {
		t.Errorf("the consumer says: %s", said)
	}
	if said := in("go", "test", "-v", "."); !strings.Contains(said, "--- PASS: TestPlayed/errors_<_1%") {
		t.Errorf("the consumer's test says: %s", said)
	}
}
