package reference_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"brunt/chaos"
	"brunt/chaos/catalog"
	"brunt/scenarios/edit/reference"
	"brunt/scenarios/load"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/plantest"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
	protocols "brunt/targets/catalog"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// comments are those of the source, from which all tests of this file make their schemas.
var comments = reference.Comments("../../..")

// schema compiles what `brunt schema` prints.
var schema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	text, err := json.Marshal(reference.Schema(comments))
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("brunt.schema.json", doc); err != nil {
		return nil, err
	}
	return c.Compile("brunt.schema.json")
})

// validate holds a scenario against the schema, as an editor would.
func validate(t testing.TB, text string) error {
	t.Helper()
	s, err := schema()
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

func TestCorpusValid(t *testing.T) {
	bin := t.TempDir()
	if err := os.WriteFile(filepath.Join(bin, "brunt-k6"), []byte("#!/bin/false\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	cases := plantest.Corpus(t, "valid")
	var all strings.Builder
	for _, c := range cases {
		all.WriteString(c.Text)
		t.Run(c.Name, func(t *testing.T) {
			if _, err := plantest.CompileText(c.Text); err != nil {
				t.Errorf("Compile refuses it: %v", plantest.Explained(err))
			}
			if err := validate(t, c.Text); err != nil {
				t.Errorf("the schema refuses it: %v\n%s", err, c.Text)
			}
		})
	}
	for _, kind := range protocols.New().Kinds() {
		if !strings.Contains(all.String(), kind+": ") {
			t.Errorf("no case of the corpus (scenarios/plan/plantest/corpus/valid.txtar) has a step %s", kind)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(load.Kinds())) {
		if !strings.Contains(all.String(), name) {
			t.Errorf("no case of the corpus (scenarios/plan/plantest/corpus/valid.txtar) has a %s", name)
		}
	}
}

// TestSamples holds the example of every kind of fault against the compiler and the schema.
func TestSamples(t *testing.T) {
	for _, f := range catalog.Faults() {
		d := f.Describe()
		target := "target:\n  processes:\n    web: {command: [./web], links: [store]}\n    store: {command: [./store]}\n  " +
			"entry: web\n"
		if d.On == chaos.OnCluster {
			target = "target: {url: \"http://127.0.0.1:1\", kubernetes: {context: c, namespace: shop}}\n" +
				"guard: {allow: {chaos: [kubernetes/c/shop], nodes: {pool: apps}}}\n"
		}
		text := "version: 1\n" + target +
			"load: {main: {executor: constant-arrival-rate, rate: 50/s, duration: 60s, flow: [{get: /}]}}\nchaos:\n  " +
			d.Sample("it") + "\n"
		if _, err := plantest.CompileText(text); err != nil {
			t.Errorf("%s: %v\n%s", d.Kind, plantest.Explained(err), text)
		}
		if err := validate(t, text); err != nil {
			t.Errorf("the schema refuses %s: %v\n%s", d.Kind, err, text)
		}
	}
}

func TestCorpusStructural(t *testing.T) {
	for _, c := range plantest.Corpus(t, "structural") {
		t.Run(c.Name, func(t *testing.T) {
			refused(t, c)
			if validate(t, c.Text) == nil {
				t.Errorf("the schema accepts\n%s", c.Text)
			}
		})
	}
}

func TestCorpusSemantic(t *testing.T) {
	for _, c := range plantest.Corpus(t, "semantic") {
		t.Run(c.Name, func(t *testing.T) {
			refused(t, c)
			if err := validate(t, c.Text); err != nil {
				t.Errorf("the schema refuses it; the case belongs to structural: %v", err)
			}
		})
	}
}

// TestCorpusUnjudgeable checks that objectives that can't be judged are refused before the run,
// with the missing figure; a case without a figure can be judged.
func TestCorpusUnjudgeable(t *testing.T) {
	for _, c := range plantest.Corpus(t, "unjudgeable") {
		t.Run(c.Name, func(t *testing.T) {
			if c.Want != "" {
				refused(t, c)
			} else if _, err := plantest.CompileText(c.Text); err != nil {
				t.Errorf("Compile refuses it: %v", plantest.Explained(err))
			}
			if err := validate(t, c.Text); err != nil {
				t.Errorf("the schema refuses it: %v", err)
			}
		})
	}
}

// TestSmallestShown checks that validate reports the smallest value that the load can show.
func TestSmallestShown(t *testing.T) {
	for _, tt := range []struct{ name, rate, judge, slo, want string }{
		{
			"the default", "100/s", "{}", "recover < 10s after lose",
			"lose: at 100 requests/s the smallest outage that shows is 130ms, the " +
				"smallest lasting error rate 2.4% (limit 1%, windows of 5s)",
		},
		{
			"a limit of its own", "1000/s", "{limit: 5%}", "errors < 1% in lose",
			"lose: at 1000 requests/s the smallest outage that shows " +
				"is 273ms, the smallest lasting error rate 6.8% (limit 5%, windows of 1s)",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			plan, err := plantest.CompileText("version: 1\ntarget: {stack: demo}\nload: {main: {executor: " +
				"constant-arrival-rate, rate: " + tt.rate +
				", duration: 60s, flow: [{get: /}]}}\nchaos: {lose: {at: 20s, process.crash: {service: posts}}}\njudge: " +
				tt.judge + "\nslo: [" + tt.slo + "]\n")
			if err != nil {
				t.Fatal(plantest.Explained(err))
			}
			if !slices.Contains(plan.Notes, tt.want) {
				t.Errorf("the notes are\n%s\nwithout\n%s", strings.Join(plan.Notes, "\n"), tt.want)
			}
		})
	}
}

// TestSmallestUnknown checks that this is not reported for a closed load, for which only a
// maximum of requests is known.
func TestSmallestUnknown(t *testing.T) {
	plan, err := plantest.CompileText("version: 1\ntarget: {stack: demo}\nload: {main: {executor: constant-vus, vus: " +
		"500, duration: 60s, " +
		"flow: [{get: /}, {think: 1s}]}}\n" +
		"chaos: {lose: {at: 20s, process.crash: {service: posts}}}\n")
	if err != nil {
		t.Fatal(plantest.Explained(err))
	}
	if notes := strings.Join(plan.Notes, "\n"); strings.Contains(notes, "smallest") ||
		!strings.Contains(notes, "is closed") {
		t.Errorf("the notes are\n%s", notes)
	}
}

// refused checks that Compile reports the mistake of the case at a place in the file.
func refused(t *testing.T, c plantest.Case) {
	t.Helper()
	_, err := plantest.CompileText(c.Text)
	mistakes, ok := errors.AsType[*syntax.MistakesError](err)
	if !ok {
		t.Fatalf("Compile says %v of\n%s", err, c.Text)
	}
	if c.Want == "" || !strings.Contains(err.Error(), c.Want) {
		t.Errorf("Compile says\n%v\nand not %q", err, c.Want)
	}
	for _, m := range mistakes.List() {
		if m.Pos.Line == 0 {
			t.Errorf("no place: %s", m)
		}
	}
}

// TestOneMistake checks that a mistake in a step is reported once, without its consequences.
func TestOneMistake(t *testing.T) {
	for _, c := range []struct{ name, step, want string }{
		{"an unknown key", "get: /, checks: {status: 200}", `unknown key "checks"; did you mean "check"?`},
		{"an unset variable", `get: "/${env.X}"`, "the environment variable X is not set"},
		{"two requests", "get: /, post: /", "not both get and post"},
		{"the name of a header", `get: /, headers: {"a b": c}`, `"a b" is not a header name`},
		{"a misspelt method", "gett: /", `did you mean "get"?`},
		{"a timeout", "get: /, timeout: 5s", "`timeout` belongs to the load, not to a step"},
		{"the name of a variable", `get: /, extract: {"b b": "$.x"}`, `"b b" can't name a variable`},
		{"no map", "", "want a step"},
	} {
		t.Run(c.name, func(t *testing.T) {
			named, plain := "{"+c.step+", name: list}", "{"+c.step+"}"
			if c.step == "" {
				named, plain = "list", "GET /"
			}
			for step, of := range map[string]string{named: "list", plain: `"GET /"`} {
				_, err := plantest.CompileText("version: 1\ntarget: {stack: demo}\nslo: ['p95 < 1s of " + of +
					"']\nload: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 60s, flow: [" + step + "]}}\n")
				mistakes, ok := errors.AsType[*syntax.MistakesError](err)
				if !ok || len(mistakes.List()) != 1 || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s: Compile says\n%v\nand not only %q", step, err, c.want)
				}
			}
		})
	}
}

// TestOneMistake_Process checks a fault on a process where brunt starts none: that is reported,
// with the fault's other mistakes.
func TestOneMistake_Process(t *testing.T) {
	const none = "and the target is a url, so brunt starts no services"
	for settings, want := range map[string][]string{
		"service: posts, pick: 3":      {none},
		`unit: "posts[7]"`:             {none},
		"service: posts, signal: NOPE": {none, `there is no signal "NOPE"`},
		"pick: one":                    {"exactly one of service, unit, zone, pid"},
		"pid: 4242":                    {"nothing starts process 4242 again"},
	} {
		t.Run(settings, func(t *testing.T) {
			_, err := plantest.CompileText(`version: 1
target: {url: "http://127.0.0.1:8080"}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 60s, flow: [{get: /}]}}
chaos: {x: {at: 1s, process.crash: {` + settings + `}}}
`)
			mistakes, ok := errors.AsType[*syntax.MistakesError](err)
			if !ok || len(mistakes.List()) != len(want) {
				t.Fatalf("Compile says\n%v\nand not only %q", err, want)
			}
			for _, w := range want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("Compile says\n%v\nand not %q", err, w)
				}
			}
		})
	}
}

// TestNotAvailable checks that Compile and the schema refuse the parts of the language that this
// version lacks, by name.
func TestNotAvailable(t *testing.T) {
	for name, text := range map[string]string{
		"find": "load: {main: {executor: find, flow: [{get: /}]}}",
	} {
		notAvailable(t, name, text)
	}
}

func notAvailable(t *testing.T, name, text string) {
	t.Run(name, func(t *testing.T) {
		c := plantest.Case{Name: name, Text: text + "\n", Want: name}
		for _, line := range []string{
			"version: 1\n", "target: {stack: demo}\n",
			"load: {main: {executor: constant-arrival-rate, rate: " +
				"100/s, duration: 60s, flow: [{get: /posts}]}}\n",
		} {
			if key, _, _ := strings.Cut(line, ":"); !strings.HasPrefix(text, key+":") {
				c.Text += line
			}
		}
		refused(t, c)
		if _, err := plantest.CompileText(c.Text); !strings.Contains(fmt.Sprint(err), "not available yet") {
			t.Errorf("Compile says %v", err)
		}
		if validate(t, c.Text) == nil {
			t.Errorf("the schema accepts\n%s", c.Text)
		}
	})
}

// shipped lists the scenarios in the repository: the example of the language's description, the
// examples, and the output of `brunt init`.
func shipped(t *testing.T) []string {
	t.Helper()
	out := []string{"../../testdata/full.yaml"}
	for _, pattern := range []string{"../../../examples/*/scenario.yaml", "../../../cmd/brunt/init/[du]*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no %s: %v", pattern, err)
		}
		out = append(out, files...)
	}
	return out
}

// rendered fills in the output of `brunt init`.
var rendered = strings.NewReplacer("{{url}}", "http://127.0.0.1:8080", "{{path}}", "/", "{{guard}}",
	"\nguard: {allow: {load: [\"127.0.0.1\"]}}\n")

// TestShipped checks that every shipped scenario is valid.
func TestShipped(t *testing.T) {
	for _, file := range shipped(t) {
		t.Run(strings.TrimPrefix(filepath.ToSlash(file), "../../"), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			text := rendered.Replace(string(b))
			t.Chdir(filepath.Dir(file)) // a Compose file is read beside its scenario
			if _, err := plantest.CompileText(text); err != nil {
				t.Error(plantest.Explained(err))
			}
			if err := validate(t, text); err != nil {
				t.Errorf("the schema refuses it: %v", err)
			}
		})
	}
}

// TestSchemaDescribed checks that every key has a description for editors.
func TestSchemaDescribed(t *testing.T) {
	for _, key := range undescribed(t, reference.Schema(comments)) {
		t.Errorf("%s has no description", key)
	}
}

// undescribed lists the keys of a schema that have no description.
func undescribed(t *testing.T, s syntax.Schema) []string {
	t.Helper()
	text, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	var root any
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	missing := map[string]bool{}
	var walk func(path []string, v any)
	walk = func(path []string, v any) {
		switch v := v.(type) {
		case map[string]any:
			props, _ := v["properties"].(map[string]any)
			for key, p := range props {
				p, _ := p.(map[string]any)
				if s, _ := p["description"].(string); strings.TrimSpace(s) == "" {
					missing[strings.Join(append(slices.Clone(path), key), ".")] = true
				}
				walk(append(slices.Clone(path), key), p)
			}
			for key, x := range v {
				if key == "$defs" {
					for name, def := range x.(map[string]any) {
						walk([]string{name}, def)
					}
				} else if key != "properties" {
					walk(path, x)
				}
			}
		case []any:
			for _, x := range v {
				walk(path, x)
			}
		}
	}
	walk(nil, root)
	return slices.Sorted(maps.Keys(missing))
}

// TestPublished_Described checks that the published schemas describe every key.
func TestPublished_Described(t *testing.T) {
	for name, s := range map[string]syntax.Schema{
		"result": result.Schema(comments), "event": result.EventSchema(comments),
	} {
		for _, key := range undescribed(t, s) {
			t.Errorf("%s: nothing describes %s", name, key)
		}
	}
}

// TestPolicySchema checks that the schema of policies and their parser agree.
func TestPolicySchema(t *testing.T) {
	text, err := json.Marshal(reference.PolicySchema(comments))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("policy.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("policy.json")
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for kind := range catalog.Kinds() {
		kinds = append(kinds, kind)
	}
	for _, tt := range []struct {
		text string
		ok   bool
	}{
		{
			"name: x\nallow: {load: [10.0.0.0/8, a.test], chaos: []}\ntargets: [url, pid]\nforbid: [process.*]\nprotect: " +
				"{services: [a], units: ['a[0]'], pids: [5]}",
			true,
		},
		{"faults: [" + strings.Join(kinds, ", ") + "]", true},
		{"faults: process.freeze", true},
		{"max_units: 1\nmax_each: 1s\nmax_rate: 5/s\nmax_users: 3\nmax_in_flight: 3\nmax_duration: 1h\nrequire: [steady, " +
			"stop, slo, seed]", true},
		{"max_unit: 1", false},
		{"max_units: 0", false},
		{"max_each: 0s", false},
		{"targets: [urls]", false},
		{"faults: [process.crush]", false},
		{"require: [nothing]", false},
		{"protect: {service: a}", false},
	} {
		_, err := plan.ReadPolicies([]string{plantest.WritePolicy(t, tt.text)}, nil)
		if (err == nil) != tt.ok {
			t.Errorf("the parser says %v of\n%s", err, tt.text)
		}
		var v any
		if err := yaml.Unmarshal([]byte("version: 1\n"+tt.text), &v); err != nil {
			t.Fatal(err)
		}
		b, _ := json.Marshal(v)
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(b)))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(doc); (err == nil) != tt.ok {
			t.Errorf("the schema says %v of\n%s", err, tt.text)
		}
	}
}

// TestSchema_Defaults: no description of a setting says what a zero value of Go is.
func TestSchema_Defaults(t *testing.T) {
	for name, schema := range map[string]any{
		"scenario": reference.Schema(comments), "policy": reference.PolicySchema(comments),
		"drill": reference.DrillSchema(comments),
	} {
		text, err := json.Marshal(schema)
		if err != nil {
			t.Fatal(err)
		}
		if found := regexp.MustCompile(`"description":"[^"]*\b(nil|zero|not written) is [^"]*"`).Find(text); found != nil {
			t.Errorf("%s: %s", name, found)
		}
	}
}
