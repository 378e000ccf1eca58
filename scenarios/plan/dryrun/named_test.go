package dryrun_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/plan/dryrun"
	"brunt/scenarios/syntax"
)

// TestPlan_Named changes each file that a run would start or read, and looks for it among the differences.
func TestPlan_Named(t *testing.T) {
	const text = `version: 1
target: {url: "http://127.0.0.1:9"}
guard: {allow: {load: [127.0.0.1], exec: true}}
setup: [{exec: [sh, setup.sh]}]
observe: {metrics: {depth: {exec: "./depth.sh | ./filter.sh > out.txt", every: 1s}}}
load:
  main: {k6: {script: script.js}, vus: 1, duration: 10s}
chaos:
  broken:
    at: 2s
    for: 1s
    exec: {inject: [brunt-tool, --config=sub/tool.conf], verify: "./verify.sh", revert: [./back.sh], dir: DIR}
`
	dir := t.TempDir()
	t.Setenv("PATH", filepath.Join(dir, "bin")+string(filepath.ListSeparator)+os.Getenv("PATH"))
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	files := []string{
		"setup.sh", "depth.sh", "filter.sh", "script.js", "lib/more.js", "lib/deep.js", "lib/users.json", "bin/brunt-tool",
		"sub/tool.conf", "verify.sh", "back.sh",
	}
	for _, name := range files {
		write(name, "")
	}
	write("script.js", "import { a } from './lib/more.js';\nexport default function () { a(); }\n")
	write("lib/more.js", "export * from \"./deep.js\";\nconst users = open('./users.json');\n")
	write("out.txt", "made by a command")
	write("other.txt", "named by nothing")
	file := filepath.Join(dir, "s.yaml")
	scenario := strings.ReplaceAll(text, "DIR", dir)
	m, nodes := syntax.NewMistakes(nil, nil), 0
	root := syntax.Read(file, []byte(scenario), m, &nodes)
	if root == nil {
		t.Fatal(m.Err())
	}
	sc := &scenarios.Scenario{File: file, Root: root}
	var found []string
	for _, path := range dryrun.Named(sc) {
		name, err := filepath.Rel(dir, path)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, filepath.ToSlash(name))
	}
	slices.Sort(files)
	slices.Sort(found)
	if !slices.Equal(found, files) {
		t.Errorf("found %q, want %q", found, files)
	}
}

// TestPlan_NamedByAnyKey has each key of the schema name a file: a key that is new can't be forgotten.
func TestPlan_NamedByAnyKey(t *testing.T) {
	text, err := os.ReadFile(filepath.FromSlash("../../../examples/brunt.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	var schema any
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch of := v.(type) {
		case []any:
			for _, item := range of {
				walk(item)
			}
		case map[string]any:
			properties, _ := of["properties"].(map[string]any)
			for key := range properties {
				keys[key] = true
			}
			for _, below := range of {
				walk(below)
			}
		}
	}
	walk(schema)
	if len(keys) < 300 {
		t.Fatalf("the schema has only %d keys", len(keys))
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	if err := os.WriteFile(program, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	value := func(text string) *syntax.Node { return &syntax.Node{Kind: syntax.String, Value: text} }
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		for _, v := range []*syntax.Node{
			value("program"), value("sh -c './program x'"),
			{Kind: syntax.List, Items: []*syntax.Node{value("sh"), value("program")}},
		} {
			below := &syntax.Node{Kind: syntax.Map, Fields: []syntax.Field{{Key: key, Value: v}}}
			root := &syntax.Node{Kind: syntax.Map, Fields: []syntax.Field{{Key: "load", Value: below}}}
			sc := &scenarios.Scenario{File: filepath.Join(dir, "s.yaml"), Root: root}
			if got := dryrun.Named(sc); !slices.Equal(got, []string{program}) {
				t.Errorf("%s: %q", key, got)
			}
		}
	}
}
