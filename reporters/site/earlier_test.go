package site_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/reporters/evidence"
	"brunt/reporters/reporterstest"
	"brunt/reporters/site"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
)

// TestEarlier finds the runs of the same scenario beside a run, in their order, and what the newest had otherwise.
func TestEarlier(t *testing.T) {
	root := t.TempDir()
	begin := time.Date(2026, 11, 24, 7, 30, 0, 0, time.UTC)
	put := func(folder string, change func(r *result.Result)) *result.Result {
		r := *reporterstest.Results()["minute"]
		r.Environment.Scenario = []result.FileSum{{Path: "posts.yaml"}}
		r.Run, r.Scenario = folder, "target:\n  processes:\n    posts:\n      replicas: 2\n"
		change(&r)
		dir := filepath.Join(root, folder)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(dir, "result.json")
		if err := os.WriteFile(file, []byte(reporterstest.Render(t, evidence.JSON{}, &r)), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, r.Started, r.Started); err != nil {
			t.Fatal(err)
		}
		return &r
	}
	if err := os.MkdirAll(filepath.Join(root, "run-c"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "run-c", "report.html"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for i := range 11 {
		put("run-"+string(rune('a'+i)), func(r *result.Result) {
			r.Started = begin.Add(time.Duration(i) * time.Hour)
			if i == 9 {
				r.Verdict = scenarios.Fail
			}
		})
	}
	put("other", func(r *result.Result) { r.Name, r.Started = "another scenario", begin.Add(20*time.Hour) })
	put("file", func(r *result.Result) {
		r.Environment.Scenario, r.Started = []result.FileSum{{Path: "posts-b.yaml"}}, begin.Add(21*time.Hour)
	})
	put("later", func(r *result.Result) { r.Started = begin.Add(90 * time.Hour) })
	if err := os.MkdirAll(filepath.Join(root, "broken"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "broken", "result.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	now := put("now", func(r *result.Result) {
		r.Started, r.Scenario = begin.Add(50*time.Hour), "target:\n  processes:\n    posts:\n      replicas: 1\n"
		r.Params = []result.Param{{Name: "copies", Value: "1", Feeds: []string{"target.processes.posts.replicas"}}}
	})
	now.Earlier = site.Earlier(filepath.Join(root, "now"), now)
	var got strings.Builder
	for _, e := range now.Earlier {
		got.WriteString(e.Folder + " " + string(e.Verdict) + "\n")
	}
	beside := func(list []result.Earlier) (out []string) {
		for _, e := range list {
			if e.Beside {
				out = append(out, e.Folder)
			}
		}
		return out
	}
	if list := beside(now.Earlier); !slices.Equal(list, []string{"../run-c"}) {
		t.Errorf("a page is in %q, and only run-c has one", list)
	}
	for folder, n := range map[string]int{filepath.Join(root, "copy"): 1, filepath.Join(t.TempDir(), "copy"): 0} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(folder, "result.json")
		if err := os.WriteFile(file, []byte(reporterstest.Render(t, evidence.JSON{}, now)), 0o644); err != nil {
			t.Fatal(err)
		}
		copied, err := evidence.Read(folder)
		if err != nil {
			t.Fatal(err)
		}
		if list := beside(copied.Earlier); len(copied.Earlier) != 9 || len(list) != n {
			t.Errorf("a copy in %s finds pages in %q, want %d", folder, list, n)
		}
	}
	if err := os.RemoveAll(filepath.Join(root, "copy")); err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for _, c := range "cdefghijk" {
		want.WriteString("../run-" + string(c) + map[bool]string{true: " fail", false: " pass"}[c == 'j'] + "\n")
	}
	if got.String() != want.String() {
		t.Errorf("found\n%swant\n%s", got.String(), want.String())
	}
	p := words.AnswerOf(now).Past
	if p == nil || len(p.Runs) != 10 || !p.Runs[9].Now || p.Runs[7].Mark != "✗" {
		t.Fatalf("the last runs are %+v", p)
	}
	const line = "Last runs: ✓✓✓✓✓✓✓✗✓✓. Since the last run: failed: 2.83% → 2.83%, about the same; p95 before faults: 9.68ms → 9.68ms, " +
		"about the same; parameter copies: 2 → 1."
	if p.Line() != line {
		t.Errorf("got  %s\nwant %s", p.Line(), line)
	}
	if alone := site.Earlier(filepath.Join(root, "now", "deeper"), now); alone != nil {
		t.Errorf("without a run beside it there are %v", alone)
	}
}
