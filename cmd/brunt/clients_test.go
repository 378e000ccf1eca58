package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/suite"
)

// A realJaeger is a Jaeger that keeps traces in memory.
type realJaeger struct {
	query, http, grpc string // addresses: of its API, and of its receivers of OTLP
}

// startJaeger starts a Jaeger with ports of its own.
func startJaeger(t *testing.T) *realJaeger {
	t.Helper()
	program := suite.Program(t, "jaeger-all-in-one", "nothing, but go build -modfile=.ci/jaeger.mod: see .ci/prepare")
	j := &realJaeger{freeAddress(t), freeAddress(t), freeAddress(t)}
	args := []string{
		"--query.http-server.host-port=" + j.query, "--collector.otlp.http.host-port=" + j.http,
		"--collector.otlp.grpc.host-port=" + j.grpc,
	}
	for _, of := range []string{
		"admin.http", "query.grpc-server", "collector.grpc-server", "collector.http-server",
	} {
		args = append(args, "--"+of+".host-port="+freeAddress(t))
	}
	cmd := exec.Command(program, append(args, "--http-server.host-port="+freeAddress(t),
		"--processor.jaeger-binary.server-host-port=127.0.0.1:0",
		"--processor.jaeger-compact.server-host-port=127.0.0.1:0",
		"--processor.zipkin-compact.server-host-port=127.0.0.1:0")...)
	cmd.Env = append(os.Environ(), "OTEL_TRACES_SAMPLER=always_off") // it sends no traces of itself
	log, err := os.Create(filepath.Join(t.TempDir(), "jaeger.log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = log.Close()
		if text, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("%s", text[max(0, len(text)-4000):])
		}
	})
	suite.Until(t, "Jaeger answers", func() bool {
		resp, err := http.Get("http://" + j.query + "/api/services")
		if err != nil {
			return false
		}
		_ = resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	return j
}

// A jaegerTrace is a trace, as Jaeger's API shows it.
type jaegerTrace struct {
	Spans []struct {
		SpanID, OperationName, ProcessID string
		References                       []struct{ RefType, SpanID string }
		StartTime, Duration              int64 // microseconds
		Tags                             []jaegerTag
		Logs                             []struct {
			Timestamp int64 // microseconds
			Fields    []jaegerTag
		}
	}
	Processes map[string]struct {
		ServiceName string
		Tags        []jaegerTag
	}
}

// A jaegerTag is an attribute.
type jaegerTag struct {
	Key   string
	Value any
}

// valueOf returns an attribute as text; empty if there is none.
func valueOf(tags []jaegerTag, key string) string {
	for _, tag := range tags {
		if tag.Key == key {
			return fmt.Sprint(tag.Value)
		}
	}
	return ""
}

// traces returns the traces of a run.
func (j *realJaeger) traces(t *testing.T, run string) (of []jaegerTrace) {
	t.Helper()
	resp, err := http.Get("http://" + j.query + "/api/traces?" + url.Values{
		"service": {"brunt"}, "limit": {"100000"}, "tags": {`{"brunt.run":"` + run + `"}`},
	}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got struct{ Data []jaegerTrace }
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %v", resp.Status, err)
	}
	return got.Data
}

// inJaeger has a span of every request, and a fault.
const inJaeger = `version: 1
name: in-jaeger
target: {stack: demo, with: {limiter: off}}
trace: {every: 1}
load:
  readers:
    executor: constant-arrival-rate
    rate: 40/s
    duration: 9s
    timeout: 3s
    flow: [{get: "/posts?page=${int(1,50)}", name: list posts, check: {status: 200}}]
chaos:
  slow-store: {at: 3s, for: 3s, network.latency: {from: posts, to: store, delay: 150ms}}
slo: [errors < 50%]
`

// TestClient_Jaeger: a real Jaeger receives the spans of a run by both protocols, and those of the services. It shows
// each request of the result as one whole trace, with the faults at the times of the result. So it does in the example
// of traces, where brunt forwards the spans of the services.
func TestClient_Jaeger(t *testing.T) {
	suite.Needs(t, suite.In("clients"), suite.Minutes(1))
	j, command, dir := startJaeger(t), built(t, "brunt/cmd/brunt"), t.TempDir()
	scenario := filepath.Join(dir, "in-jaeger.yaml")
	if err := os.WriteFile(scenario, []byte(inJaeger), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"http://" + j.http, "grpc://" + j.grpc} {
		protocol, _, _ := strings.Cut(to, ":")
		t.Run(protocol, func(t *testing.T) {
			out := filepath.Join(dir, protocol)
			cmd := exec.Command(command, "run", scenario, "-o", out, "--out", "otlp-traces="+to)
			cmd.Env = append(os.Environ(), "BRUNT_STATE="+t.TempDir(), // the demo reads the last one
				"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://"+j.http+"/v1/traces")
			said, _ := cmd.CombinedOutput() // the result has the outcome
			res := resultIn(t, out, said)
			if len(res.Faults) != 1 || !res.Faults[0].Cleared.Known() {
				t.Fatalf("no fault was injected and cleared:\n%s", said)
			}
			j.holds(t, res)
		})
	}
	t.Run("example", func(t *testing.T) { // the services send to brunt, which forwards
		out := filepath.Join(dir, "example")
		to := "http://" + j.http
		cmd := exec.Command(command, "run", filepath.Join("examples", "31-traces", "scenario.yaml"), "-o", out,
			"--set", "forward="+to, "--out", "otlp-traces="+to)
		cmd.Dir, cmd.Env = top, append(os.Environ(), "BRUNT_STATE="+t.TempDir())
		said, _ := cmd.CombinedOutput() // the result has the outcome
		all := j.traces(t, resultIn(t, out, said).Run)
		if len(all) == 0 {
			t.Fatalf("Jaeger has no trace:\n%s", said)
		}
		for _, tr := range all {
			if got := tr.services(); got != "brunt gateway posts store users" {
				t.Fatalf("a trace has spans of %s", got)
			}
		}
		t.Logf("%d whole traces", len(all))
	})
}

// services lists the services that have spans in the trace.
func (t *jaegerTrace) services() string {
	var names []string
	for _, s := range t.Spans {
		names = append(names, t.Processes[s.ProcessID].ServiceName)
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), " ")
}

// holds checks that Jaeger has the requests of a result, each with the spans of the services and with its faults.
func (j *realJaeger) holds(t *testing.T, res *result.Result) {
	t.Helper()
	want := 0
	for _, c := range res.Cells {
		if c.Phase.Kind == slo.RunPhase && c.Load == "*" && c.Step == "*" && c.Outcome == "*" {
			want = int(c.Count)
		}
	}
	all := j.traces(t, res.Run)
	if len(all) != want || want == 0 {
		t.Fatalf("Jaeger has %d traces, the result %d requests", len(all), want)
	}
	fault := res.Faults[0]
	at := func(n result.Num) int64 { return res.T0.Add(n.D()).UnixMicro() }
	begin, end := at(fault.Injected), at(fault.Cleared)
	moments := map[string]int64{"fault.injected": begin, "fault.cleared": end}
	const near = 2000 // microseconds: the result has nanoseconds as a fraction, and units are injected one by one
	events := map[string]int{}
	for _, tr := range all {
		ids := map[string]string{}
		for _, s := range tr.Spans {
			ids[s.SpanID] = tr.Processes[s.ProcessID].ServiceName
		}
		if got := tr.services(); got != "brunt gateway posts store users" {
			t.Fatalf("a trace has spans of %s", got)
		}
		for _, s := range tr.Spans {
			service := ids[s.SpanID]
			if service == "brunt" {
				if len(s.References) > 0 {
					t.Errorf("the request %s is not the root", s.SpanID)
				}
				met := s.StartTime < end-near && s.StartTime+s.Duration > begin+near
				missed := s.StartTime > end+near || s.StartTime+s.Duration < begin-near
				if named := valueOf(s.Tags, "brunt.faults"); met && named != `["slow-store"]` || missed && named != "" {
					t.Errorf("a request from %d to %d names the faults %s", s.StartTime, s.StartTime+s.Duration, named)
				}
			} else if len(s.References) != 1 || ids[s.References[0].SpanID] == "" ||
				(service == "gateway" && s.OperationName == "GET /posts") != (ids[s.References[0].SpanID] == "brunt") {
				t.Errorf("%s of %s has the parent %v", s.OperationName, service, s.References)
			}
			for _, e := range s.Logs {
				name := valueOf(e.Fields, "event")
				when, is := moments[name]
				if !is {
					continue
				}
				events[name]++
				if d := e.Timestamp - when; d < -near || d > near || valueOf(e.Fields, "brunt.fault") != "slow-store" ||
					valueOf(e.Fields, "brunt.fault.kind") != "network.latency" {
					t.Errorf("%s at %d, %d us after the result's: %v", name, e.Timestamp, d, e.Fields)
				}
			}
		}
	}
	if events["fault.cleared"] == 0 { // six requests are under way whenever the delay ends
		t.Errorf("no request shows the end of the fault: %v", events)
	}
}

// TestClient_PreCommit: pre-commit builds brunt from a repository, refuses a commit with a mistake in a scenario, and
// lets a good one pass.
func TestClient_PreCommit(t *testing.T) {
	suite.Needs(t, suite.In("clients"), suite.Minutes(2), suite.Programs("git", "pre-commit"))
	modules, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	env := append(os.Environ(), "PRE_COMMIT_HOME="+t.TempDir(), "GOMODCACHE="+strings.TrimSpace(string(modules)),
		"GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=a",
		"GIT_COMMITTER_EMAIL=a@example.com")
	do := func(args ...string) (string, error) {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir, cmd.Env = dir, env
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	must := func(args ...string) string {
		t.Helper()
		out, err := do(args...)
		if err != nil {
			t.Fatalf("%s: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(out)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	source, err := filepath.Abs(top)
	if err != nil {
		t.Fatal(err)
	}
	must("git", "init", "--quiet")
	write(".pre-commit-config.yaml", "repos:\n  - repo: file://"+source+"\n    rev: "+
		must("git", "-C", source, "rev-parse", "HEAD")+"\n    hooks: [{id: brunt-validate}]\n")
	must("pre-commit", "install")
	write("scenario.yaml", plainScenario+"sol: []\n")
	must("git", "add", "--all")
	if out, err := do("git", "commit", "--message", "bad"); err == nil ||
		!strings.Contains(out, `scenario.yaml:7:1: unknown key "sol"; did you mean "slo"?`) {
		t.Fatalf("a mistake is committed: %v\n%s", err, out)
	}
	write("scenario.yaml", plainScenario)
	must("git", "add", "--all")
	if out := must("git", "commit", "--message", "good"); !strings.Contains(out, "Passed") {
		t.Errorf("a good scenario: %s", out)
	}
	write("README.md", "no scenario")
	must("git", "add", "--all")
	if out := must("git", "commit", "--message", "no scenario"); !strings.Contains(out, "(no files to check)Skipped") {
		t.Errorf("a commit without a scenario: %s", out)
	}
}
