//go:build unix

package main

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// pipePlaces are the places where a command line or a scenario names a file. PIPE in the command, or in the scenario
// s.yaml, is a named pipe or a device.
var pipePlaces = []struct {
	name, command string
	scenario      string // the further keys of s.yaml
	replaced      string // the file that the pipe stands for; empty is PIPE
	says          string // a part of what brunt says; empty is an error that names the kind of file
}{
	{name: "scenario", command: "validate PIPE"},
	{name: "scenario of a run", command: "run PIPE"},
	{name: "policy", command: "validate s.yaml --policy PIPE"},
	{name: "plan", command: "run --plan PIPE"},
	{name: "drill", command: "drill run ./PIPE"},
	{name: "convert", command: "convert openapi PIPE"},
	{name: "import", command: "import vegeta PIPE -o out"},
	{name: "report", command: "report kept/a1", replaced: "kept/a1/result.json"},
	{name: "histograms of a report", command: "report kept/a1", replaced: "kept/a1/latency.hlog"},
	{name: "events of a report", command: "report kept/a1", replaced: "kept/a1/events.jsonl"},
	{name: "requests of a report", command: "report kept/a1 --format vegeta-gob", replaced: "kept/a1/requests.zst"},
	{name: "compare", command: "compare kept/a1 -- kept/b1", replaced: "kept/b1/result.json"},
	{name: "trend", command: "trend --history history", replaced: "history/x.run.json", says: "not a file; it is ignored"},
	{name: "verify", command: "verify kept/a1", replaced: "kept/a1/SHA256SUMS", says: "SHA256SUMS: it is missing"},
	{name: "signers", command: "verify kept/a1 --signer PIPE"},
	{name: "extends", command: "validate s.yaml", scenario: "extends: PIPE"},
	{name: "csv", command: "validate s.yaml", scenario: "data: {a: {csv: PIPE}}"},
	{name: "json", command: "validate s.yaml", scenario: "data: {a: {json: PIPE}}"},
	{name: "placeholder", command: "validate s.yaml", scenario: "meta: {a: \"${file.PIPE}\"}"},
	{
		name: "file of a body", command: "validate s.yaml",
		scenario: "load: {a: {OPEN, flow: [{post: /, body: {file: PIPE}}]}}",
	},
	{
		name: "part of a form", command: "validate s.yaml",
		scenario: "load: {a: {OPEN, flow: [{post: /, multipart: {a: {file: PIPE}}}]}}",
	},
	{name: "targets of vegeta", command: "validate s.yaml", scenario: "load: {a: {OPEN, targets: PIPE}}"},
	{name: "log", command: "validate s.yaml", scenario: "load: {a: {executor: replay, from: PIPE}}"},
	{name: "script", command: "validate s.yaml", scenario: "load: {a: {k6: PIPE}}"},
	{name: "certificates", command: "validate s.yaml", scenario: "target: {url: \"https://127.0.0.1:9\", tls: {ca: PIPE}}"},
	{name: "Compose", command: "validate s.yaml", scenario: "target: {compose: PIPE}"},
	{name: "variables of Compose", command: "validate s.yaml", scenario: "target: {compose: s.yaml}", replaced: ".env"},
	{
		name: "prototypes", command: "validate s.yaml",
		scenario: "target: {endpoints: {g: {url: \"grpc://127.0.0.1:9\", protos: PIPE}}}\n" +
			"load: {a: {OPEN, flow: [{grpc: p.S/C}]}}",
	},
	{name: "kubeconfig", command: "status --context c --namespace n"},
}

// TestPipes: a named pipe and a device without an end are refused at once, wherever a command or a scenario names a
// file: none of the commands waits for a writer, or reads without an end.
func TestPipes(t *testing.T) {
	for kind, put := range map[string]func(path string) error{
		"pipe":   func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"device": func(path string) error { return os.Symlink("/dev/zero", path) },
	} {
		for _, c := range pipePlaces {
			t.Run(c.name+", "+kind, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				if err := keptResults(dir); err != nil {
					t.Fatal(err)
				}
				text := "version: 1\nname: pipes\n" + c.scenario + "\n"
				for key, part := range map[string]string{
					"target": `{url: "http://127.0.0.1:9"}`, "load": "{a: {OPEN, flow: [{get: /}]}}",
				} {
					if !strings.Contains(text, "\n"+key+":") {
						text += key + ": " + part + "\n"
					}
				}
				text = strings.ReplaceAll(text, "OPEN", "executor: constant-arrival-rate, rate: 1/s, duration: 5s")
				if err := os.WriteFile(filepath.Join(dir, "s.yaml"), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				at := filepath.Join(dir, cmp.Or(c.replaced, "PIPE"))
				if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.Remove(at); err != nil && !errors.Is(err, fs.ErrNotExist) {
					t.Fatal(err)
				}
				if err := put(at); err != nil {
					t.Skip(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // for a busy machine; no pipe ever ends
				defer cancel()
				cmd := exec.CommandContext(ctx, "brunt", strings.Fields(c.command)...)
				cmd.Dir, cmd.WaitDelay = dir, time.Second
				cmd.Env = append(os.Environ(), "BRUNT_STATE="+filepath.Join(dir, "state"), "KUBECONFIG="+filepath.Join(dir, "PIPE"))
				out, err := cmd.CombinedOutput()
				if ctx.Err() != nil {
					t.Fatalf("it reads the %s to this day: %s", kind, out)
				}
				said := strings.Join(strings.Fields(string(out)), " ")
				want := cmp.Or(c.says, "it is a "+kind+", not a file")
				if err == nil && c.says == "" || !strings.Contains(said, want) {
					t.Errorf("%v, and it does not say %q: %s", err, want, said)
				}
			})
		}
	}
}

// TestPipes_Given: a scenario may come from the standard input, and a policy too.
func TestPipes_Given(t *testing.T) {
	dir := t.TempDir()
	const text = "version: 1\nname: given\ntarget: {url: \"http://127.0.0.1:9\"}\n" +
		"load: {a: {executor: constant-arrival-rate, rate: 1/s, duration: 5s, flow: [{get: /}]}}\n"
	if err := os.WriteFile(filepath.Join(dir, "s.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for command, in := range map[string]string{
		"validate /dev/stdin": text, "validate s.yaml --policy /dev/stdin": "version: 1\nmax_rate: 5/s\n",
	} {
		cmd := exec.CommandContext(t.Context(), "brunt", strings.Fields(command)...)
		cmd.Dir, cmd.Stdin = dir, strings.NewReader(in)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s", command, err, out)
		}
	}
}
