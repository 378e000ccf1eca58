package casefile_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"hash/fnv"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"brunt/reporters"
	"brunt/reporters/ci"
	"brunt/reporters/terminal"
	"brunt/scenarios/result"
	"brunt/scenarios/run/casefile"
)

var update = flag.Bool("update", false, "write the golden files again")

// corpus is the folder of the cases. Beside each is a golden file, with the findings and the texts of this brunt.
const corpus = "testdata/corpus"

// kinds are what a line of a golden file may be about, in the order in which differences are printed.
var kinds = []string{"verdict", "note", "value", "sentence"}

// TestCorpus judges each case of the corpus again, and prints each difference from its golden file, by kind. After a
// change that is meant, read the differences and run it with -update. A changed verdict, number or name is a defect
// until it is shown to be none.
func TestCorpus(t *testing.T) {
	paths := corpusFiles(t)
	found := differences(t, paths, func(path string) string { return strings.TrimSuffix(path, ".case") + ".golden" })
	for _, kind := range kinds {
		if list := found[kind]; len(list) > 0 {
			t.Errorf("%d differences of a %s:\n%s", len(list), kind, strings.Join(list, "\n"))
		}
	}
}

// TestShadow is TestCorpus for the cases in the folder BRUNT_SHADOW, against what the runs themselves wrote.
func TestShadow(t *testing.T) {
	dir := os.Getenv("BRUNT_SHADOW")
	if dir == "" {
		t.Skip("BRUNT_SHADOW names no folder of case files")
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.case"))
	if err != nil || len(paths) == 0 {
		t.Fatal("no case files in", dir, err)
	}
	for _, path := range paths {
		c := opened(t, path)
		if len(c.Result) == 0 {
			continue
		}
		for _, line := range compared(told(t, written(t, c)), told(t, judged(t, c))) {
			t.Errorf("%s: %s", filepath.Base(path), line)
		}
	}
}

func corpusFiles(t *testing.T) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(corpus, "*.case"))
	if err != nil || len(paths) == 0 {
		t.Fatal("no cases in", corpus, err)
	}
	return paths
}

// differences lists by kind where cases are judged otherwise than their golden files say.
func differences(t *testing.T, paths []string, golden func(path string) string) map[string][]string {
	var mu sync.Mutex
	found := map[string][]string{}
	each(paths, func(path string) {
		is := told(t, judged(t, opened(t, path)))
		if *update {
			if err := os.WriteFile(golden(path), []byte(is), 0o644); err != nil {
				t.Error(err)
			}
			return
		}
		was, err := os.ReadFile(golden(path))
		if err != nil {
			t.Error(err)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		for _, line := range compared(string(was), is) {
			kind, _, _ := strings.Cut(strings.TrimLeft(line, "-+ "), " ")
			found[kind] = append(found[kind], filepath.Base(path)+": "+line)
		}
	})
	for _, list := range found {
		slices.SortStableFunc(list, func(a, b string) int {
			nameA, _, _ := strings.Cut(a, ": ")
			nameB, _, _ := strings.Cut(b, ": ")
			return strings.Compare(nameA, nameB)
		})
	}
	return found
}

// each calls do with each path, in a goroutine of its own, as many at once as there are processors. So do may end its
// goroutine.
func each(paths []string, do func(path string)) {
	var all sync.WaitGroup
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	for _, path := range paths {
		free <- struct{}{}
		all.Go(func() {
			defer func() { <-free }()
			do(path)
		})
	}
	all.Wait()
}

func opened(t *testing.T, path string) *casefile.Case {
	c, err := casefile.Open(path)
	if err != nil {
		t.Error(err)
		runtime.Goexit()
	}
	return c
}

func judged(t *testing.T, c *casefile.Case) *result.Result {
	r, err := c.Judge()
	if err != nil {
		t.Errorf("%s: %v", c.Known.Result.Run, err)
		runtime.Goexit()
	}
	return r
}

// written returns the result as the run wrote it.
func written(t *testing.T, c *casefile.Case) *result.Result {
	r := &result.Result{}
	if err := json.Unmarshal(c.Result, r); err != nil {
		t.Fatal(err)
	}
	r.Events = c.Events
	return r
}

// told returns what brunt tells of a result, a line each: its verdicts, its notes as data, its values, and the
// sentences of the terminal, the answer and a ticket.
func told(t *testing.T, r *result.Result) string {
	r = reread(t, r)
	var out strings.Builder
	for _, line := range facts(t, r) {
		out.WriteString(line + "\n")
	}
	for _, text := range []struct {
		name string
		by   reporters.Reporter
	}{
		{"terminal", terminal.New(nil, terminal.Options{Width: terminal.Unwrapped, Verbose: true})},
		{"ticket", ci.Markdown{}},
	} {
		var b bytes.Buffer
		if err := text.by.Report(&b, r); err != nil {
			t.Error(err)
		}
		for line := range strings.Lines(b.String()) {
			if line = strings.TrimSpace(line); line != "" {
				fmt.Fprintf(&out, "sentence %s: %s\n", text.name, line)
			}
		}
	}
	return out.String()
}

// reread returns a result as a reader of its file sees it.
func reread(t *testing.T, r *result.Result) *result.Result {
	b, err := json.Marshal(r)
	out := &result.Result{}
	if err == nil {
		err = json.Unmarshal(b, out)
	}
	if err != nil {
		t.Error(err)
	}
	out.Events = r.Events
	return out
}

// copied are keys of result.json that a run knows without its judge: a case holds them, so they can't differ.
var copied = []string{
	"environment", "scenario", "params", "usage", "series", "watches", "events", "logs", "metrics", "traces", "started", "t0",
	"ended", "seconds", "peers", "meta", "definitions", "version", "run", "slowest", "sample",
}

// tables are keys of tables that have thousands of numbers: a line holds the sum of each.
var tables = []string{"windows", "cells", "blocks", "by_size"}

// facts lists the values of result.json by their paths.
func facts(t *testing.T, r *result.Result) (out []string) {
	b, err := json.Marshal(r)
	if err != nil {
		t.Error(err)
	}
	var all any
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&all); err != nil {
		t.Error(err)
	}
	walk("", all, func(path string, v any) {
		text, _ := json.Marshal(v)
		out = append(out, kindOf(path)+" "+path+": "+string(text))
	})
	return out
}

// walk calls do with each value, a note and a reason as one.
func walk(path string, v any, do func(path string, v any)) {
	_, key, _ := cutLast(path, ".")
	switch v := v.(type) {
	case map[string]any:
		if _, is := v["kind"]; is && (strings.Contains(path, "because[") || strings.Contains(path, "reasons[")) {
			do(path, v)
			return
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if !slices.Contains(copied, key) {
				walk(strings.TrimPrefix(path+"."+key, "."), v[key], do)
			}
		}
	case []any:
		if slices.Contains(tables, key) {
			text, _ := json.Marshal(v)
			do(path, fmt.Sprintf("%d rows, sum %08x", len(v), checksum(text)))
			return
		}
		for i := range v {
			walk(fmt.Sprintf("%s[%d]", path, i), v[i], do)
		}
	case nil:
	default:
		do(path, v)
	}
}

// kindOf returns the kind of a value by its path.
func kindOf(path string) string {
	_, key, _ := cutLast(path, ".")
	key, _, _ = strings.Cut(key, "[")
	switch {
	case slices.Contains([]string{"verdict", "impact", "exit_code", "outcome"}, key):
		return "verdict"
	case slices.Contains([]string{"because", "reasons", "why", "limited", "unrecovered"}, key):
		return "note"
	case slices.Contains([]string{"note", "notes", "reason", "limits", "text", "slower_untold"}, key):
		return "sentence"
	}
	return "value"
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return "", s, false
}

func checksum(b []byte) uint32 {
	h := fnv.New32a()
	h.Write(b)
	return h.Sum32()
}

// compared lists the lines that only one of two texts has, each after - or +.
func compared(was, is string) (out []string) {
	count := map[string]int{}
	for line := range strings.Lines(is) {
		count[line]++
	}
	for line := range strings.Lines(was) {
		if count[line]--; count[line] < 0 {
			out = append(out, "- "+strings.TrimSuffix(line, "\n"))
		}
	}
	clear(count)
	for line := range strings.Lines(was) {
		count[line]++
	}
	for line := range strings.Lines(is) {
		if count[line]--; count[line] < 0 {
			out = append(out, "+ "+strings.TrimSuffix(line, "\n"))
		}
	}
	return out
}
