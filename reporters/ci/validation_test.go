package ci_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"brunt/reporters/ci"

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

// sarifSchema holds a text to the schema of SARIF 2.1.0.
func sarifSchema(t *testing.T, text string) error {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile("testdata/sarif.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s.Validate(doc)
}

// TestValidationFormats writes hostile names and texts, and a mistake that two files share.
func TestValidationFormats(t *testing.T) {
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
		if text := written("sarif", of); sarifSchema(t, text) != nil {
			t.Errorf("%v:\n%s", sarifSchema(t, text), text)
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
