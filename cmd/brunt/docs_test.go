package main

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"brunt/reporters/catalog"
	"brunt/scenarios"
	"brunt/scenarios/convert"
	"brunt/scenarios/edit/reference"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/suite"
	"brunt/scenarios/syntax"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"
)

// update reports whether what is generated is written: the schemas of examples and the README.md files. The flag is
// that of the golden files of reports.
func update() bool { return flag.Lookup("update").Value.String() == "true" }

const top = "../.."

// comments are those of the types and fields of the source.
var comments = reference.Comments(top)

// madeSchemas makes the JSON Schemas from the code, by subject, as their files hold them.
func madeSchemas(t *testing.T) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for of, made := range map[string]func(syntax.Describer) syntax.Schema{
		"scenario": reference.Schema, "policy": reference.PolicySchema, "drill": reference.DrillSchema,
		"result": result.Schema, "event": result.EventSchema,
	} {
		var text bytes.Buffer
		if err := encodeJSON(&text, made(comments)); err != nil {
			t.Fatal(err)
		}
		out[of] = text.Bytes()
	}
	return out
}

// TestSchemaFile compares the schemas beside the examples, and those that brunt prints, with those of the code.
func TestSchemaFile(t *testing.T) {
	files := map[string]string{
		"scenario": "brunt.schema.json", "policy": "brunt.policy.schema.json", "drill": "brunt.drill.schema.json",
		"result": "result.schema.json", "event": "event.schema.json",
	}
	made := madeSchemas(t)
	if len(made) != len(files) || len(schemas) != len(files) {
		t.Fatalf("%d schemas are made, %d have files, and brunt has %d", len(made), len(files), len(schemas))
	}
	for of, want := range made {
		file := filepath.Join(top, "examples", files[of])
		if update() {
			if err := os.WriteFile(file, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if have, err := os.ReadFile(file); err != nil || !bytes.Equal(have, want) {
			t.Errorf("%s is not what the code says: go test ./cmd/brunt -run SchemaFile -update (%v)", file, err)
		}
		if update() { // brunt holds the schema that was there when it was built
			continue
		}
		var out bytes.Buffer
		c := schemaCommand()
		c.SetOut(&out)
		c.SetArgs([]string{of})
		if err := c.Execute(); err != nil || !bytes.Equal(out.Bytes(), want) {
			t.Errorf("`brunt schema %s` does not print %s (%v)", of, file, err)
		}
	}
}

// fences matches the code blocks of a document: language and text.
var fences = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```$")

func documents(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(top, "examples", "*", "README.md"))
	if err != nil || len(paths) < 2 {
		t.Fatalf("examples: %v %v", paths, err)
	}
	out := map[string]string{}
	for _, dir := range []string{".", "scenarios", "chaos", "targets", "reporters", "examples"} {
		paths = append(paths, filepath.Join(top, dir, "README.md"))
	}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		out[p] = string(b)
	}
	return out
}

// TestDocuments_Scenarios compiles every scenario in a document, and parses every policy,
// which its first line identifies.
func TestDocuments_Scenarios(t *testing.T) {
	n := 0
	for path, text := range documents(t) {
		for _, f := range fences.FindAllStringSubmatch(text, -1) {
			if f[1] != "yaml" {
				continue
			}
			n++
			file := filepath.Join(t.TempDir(), "scenario.yaml")
			if err := os.WriteFile(file, []byte(f[2]), 0o644); err != nil {
				t.Fatal(err)
			}
			var err error
			if strings.HasPrefix(f[2], "# policy") {
				_, err = plan.ReadPolicies([]string{file}, nil)
			} else {
				_, err = compile(file, nil)
			}
			if err != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
	if n == 0 {
		t.Error("no document shows a scenario")
	}
}

// TestDocuments_Commands checks every command in a document against brunt's commands and
// flags, and every path against the tree.
func TestDocuments_Commands(t *testing.T) {
	command := regexp.MustCompile(`(?:go run \./cmd/brunt|\bbrunt) ([a-z][a-z-]*(?: [^\x60\n|#]*)?)`)
	n := 0
	for path, text := range documents(t) {
		code := regexp.MustCompile("`[^`]+`").FindAllString(fences.ReplaceAllString(text, ""), -1)
		for _, f := range fences.FindAllStringSubmatch(text, -1) {
			if f[1] == "sh" {
				code = append(code, strings.Split(f[2], "\n")...)
			}
		}
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "    go ") {
				code = append(code, line)
			}
		}
		for _, line := range code {
			m := command.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			n++
			args := strings.Fields(strings.Trim(m[1], "`"))
			c, rest, err := rootCommand().Find(args)
			if err != nil || !c.HasParent() || strings.Fields(c.CommandPath())[1] != args[0] {
				t.Errorf("%s: %q: there is no such command (%v)", path, line, err)
				continue
			}
			// DIR and the like
			rest = slices.DeleteFunc(rest, func(a string) bool { return a == strings.ToUpper(a) && a[0] >= 'A' && a[0] <= 'Z' })
			if err := c.ParseFlags(rest); err != nil {
				t.Errorf("%s: %q: %v", path, line, err)
			}
			checkPaths(t, path, c, rest)
		}
	}
	if n < 8 {
		t.Errorf("only %d commands found", n)
	}
}

func checkPaths(t *testing.T, path string, c *cobra.Command, args []string) {
	t.Helper()
	for _, a := range args {
		if !strings.HasPrefix(a, "examples/") {
			continue
		}
		if _, err := os.Stat(filepath.Join(top, a)); err != nil {
			t.Errorf("%s: %s %s: %v", path, c.Name(), a, err)
		}
	}
}

// TestReadme_Mistakes compares the README's output for a bad file with brunt's.
func TestReadme_Mistakes(t *testing.T) {
	t.Chdir(filepath.Join("testdata", "readme"))
	_, err := compile("checkout.yaml", nil)
	var mistakes *syntax.MistakesError
	if err == nil || !errors.As(err, &mistakes) {
		t.Fatalf("error %v", err)
	}
	want := strings.TrimSpace(mistakes.Explain())
	text := read(t, filepath.Join("..", "..", "..", "..", "scenarios", "README.md"))
	if !strings.Contains(text, want) {
		t.Errorf("scenarios/README.md does not show what brunt says:\n%s", want)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// maxReadme bounds README.md, in bytes.
const maxReadme = 10_000

func TestReadme_Length(t *testing.T) {
	if n := len(read(t, filepath.Join(top, "README.md"))); n > maxReadme {
		t.Errorf("README.md has %d bytes, at most %d are wanted: what is reference belongs into scenarios/edit/reference", n,
			maxReadme)
	}
}

// TestWhyInvalid checks that each reason on the page of invalid runs is one that the code can give.
func TestWhyInvalid(t *testing.T) {
	var source strings.Builder
	for _, dir := range []string{"scenarios", "chaos", "targets"} {
		err := filepath.WalkDir(filepath.Join(top, dir), func(path string, d fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				source.WriteString(read(t, path))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	n, page := 0, read(t, filepath.Join(top, "scenarios", "edit", "reference", "topics", "why-invalid.md"))
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(page, -1) {
		for part := range strings.SplitSeq(m[1], "…") {
			n++
			if part = strings.Trim(part, " :"); !strings.Contains(source.String(), part) {
				t.Errorf("no message of the code has %q, of the reason %q", part, m[1])
			}
		}
	}
	if n < 12 {
		t.Errorf("only %d reasons found", n)
	}
	// a reason that makes a run invalid is on the page
	rows := map[string]string{
		"GoneUnverified": "that it is over is unverified", "InjectionFailed": "was not injected",
		"PartlyInjected": "was injected in part", "NoEffect": "was injected, but not verified",
		"OverEarly": "was over before its time", "Void": "it was not in for all of its time",
		"BaselineFailed": "the baseline failed", "NotStarted": "setup failed", "Suspended": "was suspended",
		"NoWorker": "no worker is left", "WorkerLost": "was lost at", "TargetGone": "and its watchdog ended",
		"LinkBroken": "without a fault", "ScriptLimit": "were lost between k6 and brunt",
	}
	kinds := regexp.MustCompile(`(?s)(?:(?:because|add)\(scenarios\.Invalid, |unfitBy\(|Kind:\s+)result\.(\w+)` +
		`(?:,\s+Verdict: scenarios\.(\w+))?`)
	found := 0
	for _, m := range kinds.FindAllStringSubmatch(source.String(), -1) {
		if strings.HasPrefix(m[0], "Kind:") && m[2] != "Invalid" {
			continue
		}
		found++
		if row, known := rows[m[1]]; !known || !regexp.MustCompile("(?m)^\\| `[^`]*"+row).MatchString(page) {
			t.Errorf("the page has no row for %s, which makes a run invalid", m[1])
		}
	}
	if found < len(rows) {
		t.Errorf("%d kinds found in the code, want at least %d", found, len(rows))
	}
}

// TestExplain_Terms checks that `brunt explain NAME` has the whole of every term, as the page says behind an underlined
// one.
func TestExplain_Terms(t *testing.T) {
	r := newReference()
	for _, term := range result.Terms() {
		said, err := r.Explain(term.Name)
		if words := strings.Join(strings.Fields(said), " "); err != nil ||
			!strings.Contains(words, strings.Join(strings.Fields(term.Text), " ")) {
			t.Errorf("brunt explain %s (%v) says\n%s", term.Name, err, said)
		}
	}
}

// madeReference makes the reference from the code.
func madeReference(t *testing.T) *reference.Reference {
	t.Helper()
	made := madeSchemas(t)
	from := reference.Sources{
		Scenario: made["scenario"], Policy: made["policy"], Drill: made["drill"], Result: made["result"],
		Event: made["event"], Comments: comments, Faults: plan.ArgumentKinds(), ExitCodes: scenarios.ExitTable(),
		Formats: map[string]string{},
	}
	from.Formats[pdf] = "The page as an installed Chromium prints it."
	for _, f := range catalog.All().Formats() {
		if slices.Contains(formatNames(), f.Name) {
			from.Formats[f.Name] = f.About
		}
	}
	for _, f := range convert.Converters() {
		from.Converted = append(from.Converted, [3]string{f.Name, f.Source, f.Doc})
	}
	r, err := reference.New(from)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestReference_Files compares the generated pages, and the index that `brunt explain` reads, with the code.
func TestReference_Files(t *testing.T) {
	suite.Sequential(t)
	r := madeReference(t)
	files, err := r.Files(exampleList(t))
	if err != nil {
		t.Fatal(err)
	}
	index, err := r.Index()
	if err != nil {
		t.Fatal(err)
	}
	files["scenarios/edit/reference/index.txt"] = string(index)
	for name, text := range files {
		file := filepath.Join(top, filepath.FromSlash(name))
		if update() {
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if have, err := os.ReadFile(file); err != nil || string(have) != text {
			t.Errorf("%s is not what the code says: go test ./cmd/brunt -run Reference -update (%v)", name, err)
		}
	}
}

// exampleList reads the title and the first paragraph of each example's page.
func exampleList(t *testing.T) []reference.Example {
	t.Helper()
	var out []reference.Example
	paths, err := filepath.Glob(filepath.Join(top, "examples", "*", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range paths {
		e := reference.Example{Folder: filepath.Base(filepath.Dir(p))}
		for block := range strings.SplitSeq(read(t, p), "\n\n") {
			switch {
			case strings.HasPrefix(block, "# "):
				e.Title = strings.TrimPrefix(block, "# ")
				continue
			case strings.HasPrefix(block, "    "), strings.HasPrefix(block, "|"), strings.HasPrefix(block, "`"):
				continue
			}
			e.Text = strings.TrimRight(strings.Join(strings.Fields(block), " "), ":")
			break
		}
		out = append(out, e)
	}
	return out
}

// TestReference_Complete checks that every name has an explanation.
func TestReference_Complete(t *testing.T) {
	suite.Sequential(t)
	r := newReference()
	names := append(plan.ArgumentKinds(), slo.MetricNames()...)
	for _, row := range scenarios.ExitTable() {
		names = append(names, strings.Split(row[0], ", ")...)
	}
	for _, name := range names {
		text, err := r.Explain(name)
		if _, rest, _ := strings.Cut(text, "\n"); err != nil || !strings.HasPrefix(rest, "  ") ||
			len(strings.TrimSpace(rest)) < 10 {
			t.Errorf("explain %s: %v\n%s", name, err, text)
		}
	}
}

// TestDocuments_CI checks the gates of the example: each command and flag, and the scenario that
// they run.
func TestDocuments_CI(t *testing.T) {
	dir := filepath.Join(top, "examples", "14-performance-gate")
	if _, err := compile(filepath.Join(dir, "performance.yaml"), nil); err != nil {
		t.Error(err)
	}
	flags := regexp.MustCompile(`\s--?[a-z][a-z-]*`)
	for _, name := range []string{"github-actions.yaml", "gitlab-ci.yaml"} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(b, new(map[string]any)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		seen := map[string]bool{}
		for _, m := range regexp.MustCompile(`(?s)brunt (ab|gate|trend) (.*?)(\n\s*- |\n\s*\w+:|$)`).FindAllStringSubmatch(string(b), -1) {
			c, _, err := rootCommand().Find([]string{m[1]})
			if err != nil {
				t.Fatal(err)
			}
			seen[m[1]] = true
			args := regexp.MustCompile(`"[^"]*"`).ReplaceAllString(m[2], "x") // the flags inside --build are not brunt's
			for _, flag := range flags.FindAllString(args, -1) {
				flag = strings.TrimSpace(flag)
				known := c.Flags().Lookup(strings.TrimLeft(flag, "-")) != nil
				if !strings.HasPrefix(flag, "--") {
					known = c.Flags().ShorthandLookup(flag[1:]) != nil
				}
				if !known {
					t.Errorf("%s: brunt %s has no %s", name, m[1], flag)
				}
			}
			if m[1] != "trend" && !strings.HasPrefix(m[2], "performance.yaml ") {
				t.Errorf("%s: brunt %s runs %q", name, m[1], m[2])
			}
		}
		if len(seen) != 3 {
			t.Errorf("%s has only %v", name, seen)
		}
	}
}

// TestContributing_Paths checks that the folders and files in the guide exist.
func TestContributing_Paths(t *testing.T) {
	text := read(t, filepath.Join(top, ".github", "CONTRIBUTING.md"))
	for _, path := range regexp.MustCompile(`\b(?:cmd|scenarios|chaos|targets|reporters)/[a-z0-9/._-]*[a-z0-9]|\.ci/[a-z.]*[a-z]`).FindAllString(text, -1) {
		if _, err := os.Stat(filepath.Join(top, path)); err != nil && !strings.HasSuffix(path, "_test") {
			t.Errorf("CONTRIBUTING.md names %s: %v", path, err)
		}
	}
}
