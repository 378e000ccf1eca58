package run

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/plan"
)

// TestEnvironment: the result identifies the programs of the run by their digests, and has every
// key.
func TestEnvironment(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256([]byte(text))
		return hex.EncodeToString(sum[:])
	}
	want := map[string]string{
		"base.yaml": put("base.yaml", "version: 1\ntarget: {url: \"http://127.0.0.1:1\"}\ndata: {users: {csv: users.csv}}\n"),
		"s.yaml": put("s.yaml",
			"extends: base.yaml\nload: {main: {executor: constant-vus, vus: 1, duration: 1s, flow: [{post: /, body: {file: "+
				"up.bin}}]}}\n"),
		"users.csv": put("users.csv", "id\n1\n2\n"),
		"up.bin":    put("up.bin", "\x00\x01"),
	}
	sc, err := scenarios.Parse(filepath.Join(dir, "s.yaml"), scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Compile(sc, plan.CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	e := IdentityOf(p).Environment()
	if len(e.Scenario) != len(want) || e.Scenario[0].Path != "s.yaml" {
		t.Errorf("files %+v", e.Scenario)
	}
	for _, f := range e.Scenario {
		if want[f.Path] != f.SHA256 {
			t.Errorf("%s has the sum %s, want %s", f.Path, f.SHA256, want[f.Path])
		}
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	own, err := disk.Digest(exe)
	if err != nil || e.Binary != hex.EncodeToString(own[:]) {
		t.Errorf("brunt's own sum is %s, want %x, %v", e.Binary, own, err)
	}
	if e.Files == 0 && runtime.GOOS != "windows" {
		t.Error("the limit of open files is lost")
	}
	if runtime.GOOS == "linux" && e.Clock == nil {
		t.Error("the kernel did not tell of its clock")
	}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(text, &keys); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"brunt", "binary", "scenario_files", "go", "os"} {
		if keys[key] == nil {
			t.Errorf("no key %s in %s", key, text)
		}
	}
	if runtime.GOOS == "linux" && (keys["files"] == nil || keys["clock"] == nil) {
		t.Errorf("files and clock in %s", text)
	}
}

func TestShownPath(t *testing.T) {
	dir := t.TempDir()
	for file, want := range map[string]string{
		filepath.Join(dir, "bin", "posts"): "bin/posts", filepath.Join(filepath.Dir(dir), "python3"): "python3",
	} {
		if got := shownPath(dir, file); got != want {
			t.Errorf("%s is shown as %s, want %s", file, got, want)
		}
	}
	if strings.Contains(shownPath(dir, "/usr/bin/python3"), "/") {
		t.Error("where this machine has it is shown")
	}
}
