package ci_test

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"

	"brunt/reporters/ci"
	"brunt/scenarios/suite"
	"brunt/scenarios/syntax"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// A workflowCommand is a workflow command as the runner of GitHub Actions reads it.
type workflowCommand struct {
	name       string
	properties map[string]string
	data       string
}

// readCommand reads a workflow command as ActionCommand.TryParseV2 of the runner does.
func readCommand(t *testing.T, line string) workflowCommand {
	t.Helper()
	rest, begins := strings.CutPrefix(line, "::")
	head, data, ends := strings.Cut(rest, "::")
	if !begins || !ends {
		t.Fatalf("no workflow command: %s", line)
	}
	name, list, _ := strings.Cut(head, " ")
	data = strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%").Replace(data)
	c := workflowCommand{name, map[string]string{}, data}
	for pair := range strings.SplitSeq(list, ",") {
		key, value, _ := strings.Cut(pair, "=")
		c.properties[key] = strings.NewReplacer("%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%").Replace(value)
	}
	return c
}

// sarifSchema holds a text to a schema of SARIF 2.1.0: a file.
func sarifSchema(t *testing.T, file, text string) error {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(file)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

// TestValidationFormats_SARIF holds the output to OASIS's own schema, of which brunt keeps no copy.
func TestValidationFormats_SARIF(t *testing.T) {
	official := os.Getenv("BRUNT_SARIF_SCHEMA")
	if official == "" {
		suite.Lack(t, "BRUNT_SARIF_SCHEMA names no sarif-schema-2.1.0.json: .ci/prepare takes the one of the module gosec")
	}
	var b strings.Builder
	if err := ci.ValidationFormats["sarif"](&b, "v1", []ci.Validation{
		{File: "a b/one.yaml", Mistakes: []ci.Mistake{
			{File: "a b/base, one.yaml", Line: 3, Column: 7, What: "50% of it\n", Hint: "say less"}, {File: `C:\x.yaml`},
		}, More: 4},
		{File: "/ok.yaml", Valid: true, Says: []string{"load main"}, Notes: []string{"the load is small"}},
	}); err != nil {
		t.Fatal(err)
	}
	if err := sarifSchema(t, official, b.String()); err != nil {
		t.Errorf("%v:\n%s", err, b.String())
	}
	for good, bad := range map[string]string{
		`"level": "error"`: `"level": "fatal"`, `"startLine": 3`: `"startLine": 0`, `"text"`: `"txt"`,
	} {
		if text := strings.Replace(b.String(), good, bad, 1); text == b.String() || sarifSchema(t, official, text) == nil {
			t.Errorf("the schema accepts %s", bad)
		}
	}
}

// TestValidationFormats writes hostile names and texts, and a mistake that two files share.
func TestValidationFormats(t *testing.T) {
	given := &syntax.Mistakes{}
	given.Add(syntax.Pos{File: "--set x"}, "the scenario has no param %q", "x")
	var e *syntax.MistakesError
	if !errors.As(given.Err(), &e) {
		t.Fatal(given.Err())
	}
	if got := ci.NewMistakes("one.yaml", e); got[0].File != "one.yaml" || got[0].What != `--set x: the scenario has no param "x"` {
		t.Errorf("a mistake in a flag: %+v", got)
	}
	var line strings.Builder
	if err := ci.AnnotateMistakes(&line, ci.NewMistakes("", e)); err != nil ||
		line.String() != "::error title=brunt::--set x: the scenario has no param \"x\"\n" {
		t.Errorf("a mistake of a command without a file: %v, %s", err, line.String())
	}

	shared := ci.Mistake{File: "a b/base, one.yaml", Line: 3, Column: 7, What: "50% of it\n::error::x", Hint: "say less"}
	all := []ci.Validation{
		{File: "one.yaml", Mistakes: []ci.Mistake{shared}, More: 4},
		{File: "two.yaml", Mistakes: []ci.Mistake{shared, {File: "two.yaml", What: "no such file"}}},
		{File: "ok.yaml", Valid: true, Says: []string{"load main"}, Notes: []string{"the load is small"}},
	}
	written := func(format string, of []ci.Validation) string {
		var b strings.Builder
		if err := ci.ValidationFormats[format](&b, "v1", of); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	lines := strings.Split(strings.TrimSpace(written("github", all)), "\n")
	for i, want := range []string{
		"::error file=a b/base%2C one.yaml,line=3,col=7,title=brunt%3A a b/base%2C one.yaml::50%25 of it",
		"::error file=two.yaml,title=brunt%3A two.yaml::no such file",
		"::error file=one.yaml,title=brunt%3A one.yaml::and 4 more",
		"::notice file=ok.yaml,title=brunt%3A ok.yaml::the load is small",
	} {
		if len(lines) != 4 || !strings.HasPrefix(lines[i], want) {
			t.Fatalf("lines %q, want %s", lines, want)
		}
	}
	var said []workflowCommand
	for _, line := range lines {
		said = append(said, readCommand(t, line))
	}
	if want := (workflowCommand{"error", map[string]string{
		"file": shared.File, "line": "3", "col": "7", "title": "brunt: " + shared.File,
	}, "50% of it ::error::x; say less"}); !reflect.DeepEqual(said[0], want) {
		t.Errorf("the runner reads %+v, want %+v", said[0], want)
	}
	for _, of := range [][]ci.Validation{all, nil, {{File: "/a b/c.yaml", Mistakes: []ci.Mistake{{File: `C:\x.yaml`}}}}} {
		text := written("sarif", of)
		if err := sarifSchema(t, "testdata/sarif.json", text); err != nil {
			t.Errorf("%v:\n%s", err, text)
		}
	}
	var sarif struct {
		Runs []struct {
			Tool struct {
				Driver struct{ Rules []struct{ ID string } }
			}
			Results []struct {
				RuleID, Level string
				Message       struct{ Text string }
				Locations     []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           *struct{ StartLine, StartColumn int }
					}
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(written("sarif", all)), &sarif); err != nil || len(sarif.Runs) != 1 {
		t.Fatal(err)
	}
	run := sarif.Runs[0]
	known := map[string]bool{}
	for _, r := range run.Tool.Driver.Rules {
		known[r.ID] = true
	}
	if len(run.Results) != 4 {
		t.Fatalf("%d results", len(run.Results))
	}
	for i, r := range run.Results {
		if !known[r.RuleID] || len(r.Locations) != 1 || r.Message.Text == "" {
			t.Errorf("result %d: %+v", i, r)
		}
	}
	first := run.Results[0].Locations[0].PhysicalLocation
	if first.ArtifactLocation.URI != "a%20b/base,%20one.yaml" || first.Region == nil || first.Region.StartLine != 3 ||
		first.Region.StartColumn != 7 {
		t.Errorf("place %+v", first)
	}
	if run.Results[1].Locations[0].PhysicalLocation.Region != nil || run.Results[3].Level != "note" {
		t.Errorf("results %+v", run.Results)
	}
	if clean := written("sarif", nil); !strings.Contains(clean, `"results": []`) {
		t.Errorf("no results is no empty list: %s", clean)
	}
}
