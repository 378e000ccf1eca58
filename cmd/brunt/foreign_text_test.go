package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"brunt/reporters/catalog"
	"brunt/reporters/evidence"
	"brunt/reporters/reporterstest"
	"brunt/reporters/terminal"
	"brunt/scenarios/decide/compare"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/suite"
)

// hostile is a text that controls a terminal, and the direction of text, wherever it is printed as it is.
const hostile = "z\x1b[2J\x1b]0;t\a\r\b\x7f\u009b31m\u202e\u2066\u200f\ufeff"

// controls returns the first character of a text that controls a terminal or the direction of text, beside line breaks
// and tabs.
func controls(text string) string {
	for i, c := range text {
		if c != '\n' && c != '\t' && (unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c) || c == '\ufeff') {
			return fmt.Sprintf("%q in %q", c, text[max(0, i-40):min(len(text), i+40)])
		}
	}
	return ""
}

// spoil calls do for each text in a value, by its place without indexes, and replaces the text by what do returns.
func spoil(v reflect.Value, at string, do func(at, text string) string) {
	switch v.Kind() {
	case reflect.String:
		if v.CanSet() {
			v.SetString(do(at, v.String()))
		}
	case reflect.Pointer:
		if !v.IsNil() {
			spoil(v.Elem(), at, do)
		}
	case reflect.Struct:
		if phase, is := v.Interface().(slo.Phase); is {
			v.Set(reflect.ValueOf(slo.ParsePhase(do(at, phase.String()))))
			return
		}
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Tag.Get("json") != "-" {
				spoil(v.Field(i), at+"."+f.Name, do)
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			spoil(v.Index(i), at+"[]", do)
		}
	case reflect.Map:
		if v.Type().Key().Kind() != reflect.String {
			return
		}
		for _, key := range slices.SortedFunc(slices.Values(v.MapKeys()),
			func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) }) {
			is := reflect.New(v.Type().Elem()).Elem()
			is.Set(v.MapIndex(key))
			spoil(is, at+"{}", do)
			v.SetMapIndex(key, reflect.Value{})
			v.SetMapIndex(reflect.ValueOf(do(at+"{key}", key.String())).Convert(v.Type().Key()), is)
		}
	}
}

// said runs a command of brunt in this process, and returns what it prints, and whether it ended without an error.
func said(t *testing.T, args ...string) (text string, ok bool) {
	t.Helper()
	var out bytes.Buffer
	c := rootCommand()
	c.SetOut(&out)
	c.SetErr(&out)
	c.SetArgs(args)
	c.SetContext(t.Context())
	err := c.Execute()
	if err != nil {
		fmt.Fprintln(clean(&out), err)
	}
	return out.String(), err == nil || errors.As(err, new(exit))
}

// copied returns a result as it is read of its file.
func copied(t *testing.T, of *result.Result) *result.Result {
	t.Helper()
	b, err := json.Marshal(of)
	var r result.Result
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return &r
}

// TestForeign_Result puts a text that controls a terminal in each place of a result that has texts, in turn, and wants
// nothing of it in what the commands print that read results of others.
func TestForeign_Result(t *testing.T) {
	suite.Sequential(t)
	results := reporterstest.Results()
	done := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(results)) {
		if name == "hostile" {
			continue
		}
		base := results[name]
		var places []string
		spoil(reflect.ValueOf(copied(t, base)), "", func(at, text string) string {
			if !done[at] {
				done[at] = true
				places = append(places, at)
			}
			return text
		})
		if len(places) == 0 {
			continue
		}
		folder := t.TempDir()
		var dirs []string // of runs in the order of time; the first and the last are those of another
		for n := range 4 {
			dirs = append(dirs, filepath.Join(folder, fmt.Sprint(n)))
		}
		if err := catalog.All().Write(dirs[0], base); err != nil {
			t.Fatal(err)
		}
		for _, dir := range dirs[1:] {
			if err := os.CopyFS(dir, os.DirFS(dirs[0])); err != nil {
				t.Fatal(err)
			}
		}
		write := func(spoiled func(at string) bool) {
			for n, dir := range dirs {
				r := copied(t, base)
				r.Run, r.Started = fmt.Sprint(base.Run, n), base.Started.Add(time.Duration(n)*time.Hour)
				spoil(reflect.ValueOf(r), "", func(at, text string) string {
					if (n == 0 || n == 3) && spoiled(at) {
						return text + hostile
					}
					return text
				})
				b, err := json.Marshal(r)
				if err == nil {
					err = os.WriteFile(filepath.Join(dir, "result.json"), b, 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
		}
		var try func(some []string)
		try = func(some []string) {
			write(func(at string) bool { return slices.Contains(some, at) })
			texts, ok := foreignTexts(t, dirs)
			for what, text := range texts {
				if found := controls(text); found != "" {
					t.Errorf("%s, in %s: %s", some, what, found)
				}
			}
			if n := len(some) / 2; !ok && n > 0 { // one of them may have hidden the others
				try(some[:n])
				try(some[n:])
			}
		}
		try(places)
		write(func(string) bool { return true })
		for _, args := range [][]string{{"report", dirs[0], "-v", "--baseline", dirs[1]}, {"verify", dirs[0], dirs[1]}} {
			text, _ := said(t, args...)
			if found := controls(text); found != "" {
				t.Errorf("`brunt %s`: %s", args[0], found)
			}
		}
	}
	if len(done) < 100 {
		t.Errorf("only %d places have texts", len(done))
	}
}

// foreignTexts are what brunt says of four runs, of which the first and the last are those of another.
func foreignTexts(t *testing.T, dirs []string) (texts map[string]string, ok bool) {
	t.Helper()
	var table strings.Builder
	texts, ok = map[string]string{}, true
	say := func(what string, args ...string) {
		text, ended := said(t, args...)
		texts[what], ok = text, ok && ended
	}
	r, err := evidence.Read(dirs[0])
	if err == nil {
		err = terminal.New(nil, terminal.Options{Verbose: true}).Report(&table, r)
	}
	texts["the table"], ok = table.String(), err == nil
	say("github", "report", dirs[0], "--format", "github")
	say("junit", "report", dirs[0], "--format", "junit")
	say("compare", "compare", "--allow", strings.Join(compare.MismatchKinds(), ","), dirs[0], dirs[3], "--", dirs[1],
		dirs[2])
	return texts, ok
}

// TestForeign_History does the same with the records of a history.
func TestForeign_History(t *testing.T) {
	dir := t.TempDir()
	record := func(n int) *compare.Record {
		r := &compare.Record{
			Version: compare.RecordVersion, Definitions: result.Definitions,
			Run: fmt.Sprint("run-", n), Name: "s", Key: "k", Commit: "c",
			Started: time.Unix(int64(n)*86400, 0),
			Machine: compare.Machine{OS: "linux", Arch: "amd64", CPUs: 2},
		}
		level := result.Num(.1)
		if n > 15 {
			level = .2
		}
		for _, at := range []compare.Kept{
			{Phase: slo.ParsePhase("run"), Load: "*", Step: "*"},
			{Phase: slo.ParsePhase("cut"), Load: "main", Step: "read"},
		} {
			at.Metric, at.Value, at.Count = "p95", level+result.Num(n%3)*.001, 5000
			r.Values = append(r.Values, at)
		}
		return r
	}
	var places []string
	spoil(reflect.ValueOf(record(1)), "", func(at, text string) string {
		if !slices.Contains(places, at) {
			places = append(places, at)
		}
		return text
	})
	for i, place := range places {
		folder := filepath.Join(dir, fmt.Sprint(i))
		h, err := compare.OpenHistory(folder)
		if err != nil {
			t.Fatal(err)
		}
		for n := range 30 {
			r := record(n)
			spoil(reflect.ValueOf(r), "", func(at, text string) string {
				if at == place {
					return text + hostile
				}
				return text
			})
			if err := h.Add(r); err != nil {
				t.Fatal(err)
			}
		}
		out, _ := said(t, "trend", "--history", folder)
		if found := controls(out); found != "" {
			t.Errorf("%s: %s", place, found)
		}
		if place == ".Name" && !strings.Contains(out, `\x1b`) {
			t.Errorf("the name is not shown: %s", out)
		}
	}
}

// plainOutput are the lines that write to an output of a command as it is, each with what makes it safe.
var plainOutput = map[string]string{
	"agent.Serve(":       "a protocol",
	"child.Serve(":       "a protocol",
	"stress.Run(":        "a protocol",
	"RunRemoteWatchdog(": "a protocol",
	"os.Stdin}":          "a protocol",
	"demo.Serve(":        "the log of a unit, which brunt reads",
	"run.Stdout":         "an agent, which makes them safe itself",
	"table(":             "the terminal's reporter",
	"terminal.New(":      "the terminal's reporter",
	"terminal.Answers(":  "the terminal's reporter",
}

// TestForeign_Outputs finds what a command prints past the one piece that makes texts safe for a terminal.
func TestForeign_Outputs(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	direct := regexp.MustCompile(`OutOrStdout\(\)|ErrOrStderr\(\)|os\.Stdout|os\.Stderr|fmt\.Print`)
	found, safe := 0, slices.Collect(maps.Keys(plainOutput))
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || file == "output.go" {
			continue
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(b), "\n") {
			if !direct.MatchString(strings.ReplaceAll(line, "clean(os.Stderr)", "")) {
				continue
			}
			found++
			if !slices.ContainsFunc(safe, func(call string) bool { return strings.Contains(line, call) }) {
				t.Errorf("%s:%d: write to stdout(c), stderr(c) or data(c), which make texts of others safe: %s", file, i+1,
					strings.TrimSpace(line))
			}
		}
	}
	if found < len(plainOutput) {
		t.Errorf("%d lines write to an output, fewer than plainOutput has", found)
	}
}

// TestLog_ForeignText checks that text of others reaches a terminal escaped in both formats of the log, and that JSON
// holds it as it is.
func TestLog_ForeignText(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out bytes.Buffer
		log, err := (&logFlags{format: format, level: "info"}).logger(&out)
		if err != nil {
			t.Fatal(err)
		}
		log.Info(hostile, "line", hostile)
		if c := controls(out.String()); c != "" || strings.Count(out.String(), "\n") != 1 {
			t.Errorf("%s: %s", format, c)
		}
		if format == "text" {
			continue
		}
		var record struct{ Msg, Line string }
		if err := json.Unmarshal(out.Bytes(), &record); err != nil || record.Msg != hostile || record.Line != hostile {
			t.Errorf("%q is read back as %+q: %v", hostile, record, err)
		}
	}
}
