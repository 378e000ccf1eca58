package main

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"brunt/reporters/evidence"
	"brunt/scenarios"
	"brunt/scenarios/suite"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// tightPolicy is a policy that `brunt mcp` accepts.
const tightPolicy = `version: 1
files: []
allow: {load: [], chaos: []}
forbid: [commands]
max_rate: 100/s
`

// An assistant is a client of `brunt mcp`, which it has started: that of the official SDK.
type assistant struct {
	t       *testing.T
	folder  string
	session *mcp.ClientSession
	process *exec.Cmd
	input   io.Closer // of the server: its end says that the assistant is gone
}

// startAssistant starts a server in a folder with files, as an assistant does.
func startAssistant(t *testing.T, files map[string]string) *assistant {
	t.Helper()
	top := t.TempDir()
	a := &assistant{t: t, folder: filepath.Join(top, "work")}
	for name, text := range files {
		file := filepath.Join(a.folder, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	policy := filepath.Join(top, "policy.yaml")
	if err := os.WriteFile(policy, []byte(tightPolicy), 0o644); err != nil {
		t.Fatal(err)
	}
	a.process = exec.Command("brunt", "mcp", "--policy", policy, "--folder", a.folder)
	a.process.Env = append(os.Environ(), "BRUNT_STATE="+filepath.Join(top, "state"), "OUTSIDE=a-secret-of-the-server")
	a.process.Stderr = os.Stderr
	input, err := a.process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := a.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := a.process.Start(); err != nil {
		t.Fatal(err)
	}
	a.input = input
	t.Cleanup(func() { // the server takes back what a run has injected before it ends
		_ = input.Close()
		_ = a.process.Wait()
	})
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	a.session, err = client.Connect(t.Context(), &mcp.IOTransport{Reader: output, Writer: input}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// call calls a tool, and returns its text. Ok is false if the tool failed.
func (a *assistant) call(ctx context.Context, tool string, args map[string]any) (text string, ok bool) {
	r, err := a.session.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		return err.Error(), false
	}
	for _, c := range r.Content {
		if one, isText := c.(*mcp.TextContent); isText {
			text += one.Text
		}
	}
	return text, !r.IsError
}

// want calls a tool, which must succeed, and checks its text.
func (a *assistant) want(tool string, args map[string]any, want ...string) string {
	a.t.Helper()
	text, ok := a.call(a.t.Context(), tool, args)
	if !ok {
		a.t.Errorf("%s %v failed: %s", tool, args, text)
	}
	for _, w := range want {
		if !strings.Contains(text, w) {
			a.t.Errorf("%s %v: no %q in: %s", tool, args, w, text)
		}
	}
	return text
}

// refused calls a tool, which must fail, and checks its text.
func (a *assistant) refused(tool string, args map[string]any, want string) {
	a.t.Helper()
	if text, ok := a.call(a.t.Context(), tool, args); ok || !strings.Contains(text, want) {
		a.t.Errorf("%s %v: ok %t, no %q in: %s", tool, args, ok, want, text)
	}
}

// counted is a server of known load.
func counted(t *testing.T) (url string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	t.Cleanup(s.Close)
	return s.URL, asked
}

func TestMCP(t *testing.T) {
	url, asked := counted(t)
	a := startAssistant(t, map[string]string{"plain.yaml": plainScenario, "wrong.yaml": "version: 1\ntarget: {stack: dmeo}\n"})
	list, err := a.session.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, tool := range list.Tools {
		names = append(names, tool.Name)
		if writes := tool.Name == "run"; tool.Annotations.ReadOnlyHint == writes {
			t.Errorf("%s: hints %+v", tool.Name, tool.Annotations)
		}
	}
	slices.Sort(names)
	if want := "explain plan report run schema validate"; strings.Join(names, " ") != want {
		t.Errorf("tools %s, want %s", names, want)
	}
	a.want("validate", map[string]any{"scenario": "plain.yaml"}, `"valid": true`, "50 iterations")
	a.want("validate", map[string]any{"scenario": "wrong.yaml"}, `"valid": false`, `did you mean \"demo\"?`, `"line": 2`)
	a.want("explain", map[string]any{"term": "network.latency"}, "delay")
	a.want("explain", nil, "network.latency")
	a.want("schema", map[string]any{"kind": "scenario"}, `"$schema"`)
	a.refused("schema", map[string]any{"kind": "--help"}, `unknown "--help"; known are`)
	with := map[string]any{"scenario": "plain.yaml", "set": map[string]string{"url": url}}
	a.want("plan", with, "Nothing was started or broken.")
	if n := asked.Load(); n != 0 {
		t.Errorf("%d requests before a run", n)
	}
	text := a.want("run", with, "plain", "The objective held", "Exit code 0. The run is in brunt-results/")
	if n := asked.Load(); n < 50 {
		t.Errorf("%d requests in a run", n)
	}
	_, folder, _ := strings.Cut(text, "The run is in ")
	a.want("report", map[string]any{"run": strings.TrimSuffix(strings.TrimSpace(folder), ".")}, "plain")
}

// TestMCP_Hostile shows that a client can do no more than the policy: it names paths outside the folder, commands,
// addresses and files that the policy forbids, and flags in place of names.
func TestMCP_Hostile(t *testing.T) {
	url, asked := counted(t)
	steps := `load: {main: {executor: constant-arrival-rate, rate: 50/s, duration: 1s, flow: [{get: /}]}}` + "\nslo: [errors < 50%]\n"
	made := filepath.Join(t.TempDir(), "made")
	a := startAssistant(t, map[string]string{
		"plain.yaml": plainScenario,
		"processes.yaml": "version: 1\ntarget: {processes: {web: {command: [touch, " + made + "], port: 8080}}}\n" +
			strings.ReplaceAll(steps, "get: /", "get: \"${target.web}/\""),
		"setup.yaml": "version: 1\ntarget: {url: \"" + url + "\"}\nsetup: [{command: touch " + made + "}]\n" + steps,
		"exec.yaml": "version: 1\ntarget: {url: \"" + url + "\"}\nchaos: {x: {at: 100ms, action.run: {run: touch " + made +
			"}}}\n" + steps,
		"address.yaml": "version: 1\ntarget: {url: \"http://192.0.2.1\"}\nguard: {allow: {load: [192.0.2.1]}}\n" + steps,
		"file.yaml": "version: 1\ntarget: {url: \"" + url + "\"}\n" +
			strings.ReplaceAll(steps, "get: /", "post: /, body: {file: /etc/hostname}"),
		"extends.yaml": "extends: ../policy.yaml\n",
		"schema.yaml": "version: 1\ntarget: {url: \"" + url + "\"}\n" +
			strings.ReplaceAll(steps, "get: /", "get: /, check: {schema: ../policy.yaml}"),
		"rate.yaml": "version: 1\ntarget: {url: \"" + url + "\"}\n" + strings.ReplaceAll(steps, "50/s", "101/s"),
		"metric.yaml": "version: 1\ntarget: {url: \"" + url + "\"}\nmetrics: {x: {scrape: \"http://192.0.2.1/${env.OUTSIDE}\", " +
			"metric: up}}\n" + steps,
	})
	top := filepath.Dir(a.folder)
	for link, to := range map[string]string{"link.yaml": "../policy.yaml", "up": "..", "loop.yaml": "loop.yaml"} {
		if err := os.Symlink(to, filepath.Join(a.folder, link)); err != nil {
			t.Fatal(err)
		}
	}
	const outside = "is not below the folder of this server"
	for _, tool := range []string{"validate", "plan", "run"} {
		for path, want := range map[string]string{
			"../policy.yaml": outside, filepath.Join(top, "policy.yaml"): outside, "/etc/passwd": outside, "": outside,
			"link.yaml": outside, "up/policy.yaml": outside, "plain.yaml\x00.yaml": outside, "a/../../policy.yaml": outside,
			"loop.yaml": "no such file", "--help": "no such file", "-": "no such file", "/dev/stdin": outside,
			"--policy=none.yaml": "no such file",
		} {
			a.refused(tool, map[string]any{"scenario": path}, want)
		}
	}
	a.refused("report", map[string]any{"run": ".."}, outside)
	a.refused("report", map[string]any{"run": "--site"}, "no such file")
	for file, want := range map[string]string{
		"processes.yaml": "policy.yaml:4:", "setup.yaml": "policy.yaml:4:", "exec.yaml": "policy.yaml:4:",
		"address.yaml": "policy.yaml:3:", "file.yaml": "policy.yaml:2:", "extends.yaml": "policy.yaml:2:",
		"schema.yaml": "policy.yaml:2:", "rate.yaml": "policy.yaml:5:", "metric.yaml": "policy.yaml:3:",
	} {
		a.want("validate", map[string]any{"scenario": file}, `"valid": false`, want)
		a.refused("plan", map[string]any{"scenario": file}, want)
		a.refused("run", map[string]any{"scenario": file}, want)
	}
	// Params and terms are values, never flags, and no shell reads them.
	a.refused("run", map[string]any{"scenario": "plain.yaml", "set": map[string]string{"url": "http://192.0.2.1"}}, "policy.yaml:3:")
	a.refused("run", map[string]any{"scenario": "plain.yaml", "set": map[string]string{"x --policy": "none.yaml"}}, "no param")
	a.refused("run", map[string]any{"scenario": "plain.yaml", "set": map[string]string{"": "$(touch " + made + ")"}}, "name=value")
	a.refused("explain", map[string]any{"term": "--help; touch " + made}, "exit code 2")
	a.refused("run", map[string]any{"scenario": "plain.yaml", "policy": "none.yaml"}, "policy")
	a.refused("run", map[string]any{"scenario": "plain.yaml", "args": []string{"--no-chaos"}}, "args")
	a.refused("inject", map[string]any{"kind": "process.crash"}, "inject")
	if n := asked.Load(); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	if _, err := os.Stat(made); err == nil {
		t.Error("a command ran")
	}
	// A policy that became wider does not count.
	if err := os.WriteFile(filepath.Join(top, "policy.yaml"), []byte("version: 1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	a.refused("run", map[string]any{"scenario": "plain.yaml", "set": map[string]string{"url": url}}, "has changed")
}

// TestMCP_OneRun makes one run at a time, ends it when it is cancelled, and when the client is gone.
func TestMCP_OneRun(t *testing.T) {
	url, asked := counted(t)
	a := startAssistant(t, map[string]string{"plain.yaml": plainScenario})
	long := map[string]any{"scenario": "plain.yaml", "set": map[string]string{"url": url, "lasts": "10m"}}
	begin := func(ctx context.Context) <-chan struct{} {
		before := asked.Load()
		over := make(chan struct{})
		go func() {
			defer close(over)
			_, _ = a.call(ctx, "run", long)
		}()
		suite.Until(t, "the load to begin", func() bool { return asked.Load() > before+10 })
		return over
	}
	ctx, cancel := context.WithCancel(t.Context())
	over := begin(ctx)
	a.refused("run", long, "one is made at a time")
	a.refused("plan", long, "one is made at a time")
	cancel()
	<-over
	suite.Until(t, "place for another run", func() bool { // once the run took everything back
		_, ok := a.call(t.Context(), "plan", long)
		return ok
	})
	over = begin(t.Context())
	if err := a.input.Close(); err != nil {
		t.Error(err)
	}
	<-over
	found, err := filepath.Glob(filepath.Join(a.folder, "brunt-results", "*", "result.json"))
	if err != nil || len(found) != 2 {
		t.Fatalf("runs: %v %v", found, err)
	}
	for _, file := range found {
		r, err := evidence.Read(filepath.Dir(file))
		if err != nil || r.Verdict != scenarios.Interrupted {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// TestMCP_Killed kills the server: the run ends as by Ctrl-C, and its load with it.
func TestMCP_Killed(t *testing.T) {
	url, asked := counted(t)
	a := startAssistant(t, map[string]string{"plain.yaml": plainScenario})
	go func() {
		_, _ = a.call(t.Context(), "run", map[string]any{
			"scenario": "plain.yaml", "set": map[string]string{"url": url, "lasts": "10m"},
		})
	}()
	suite.Until(t, "the load to begin", func() bool { return asked.Load() > 10 })
	if err := a.process.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	var found []string
	suite.Until(t, "the result", func() bool {
		found, _ = filepath.Glob(filepath.Join(a.folder, "brunt-results", "*", "SHA256SUMS")) // which is written last
		return len(found) == 1
	})
	r, err := evidence.Read(filepath.Dir(found[0]))
	if err != nil || r.Verdict != scenarios.Interrupted ||
		!strings.Contains(r.Reason, "the end of the program that started it") {
		t.Errorf("%+v, %v", r, err)
	}
}
