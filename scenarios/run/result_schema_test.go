package run_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"brunt/reporters/catalog"
	"brunt/reporters/evidence"
	"brunt/scenarios/ledger"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/suite"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// reportedRun is the outcome of the run behind reported, once it has run.
var reportedRun struct {
	once sync.Once
	res  *result.Result
}

// reported runs a scenario with faults, failures and two loads, and returns the folder of its
// report.
func reported(t *testing.T) string {
	t.Helper()
	reportedRun.once.Do(func() {
		reportedRun.res = runOnce(t, `version: 1
name: reported`+pair+`
warmup: {for: 500ms}
load:
  main: {executor: constant-arrival-rate, rate: 50/s, duration: 4s, flow: [{get: /far/}, {get: /fail, name: fails, check: {status: 200}}]}
  closed: {executor: constant-vus, vus: 2, duration: 2s, flow: [{get: /slow}]}
chaos:
  crash: {at: 1s, within: 2s, process.crash: {service: store}}
  slow: {at: 3s, for: 500ms, network.latency: {from: web, to: store, delay: 20ms}}
steady: [p50 < 5s]
slo: [p95 < 1s, errors < 100%]
`, run.Options{})
	})
	if reportedRun.res == nil {
		t.Fatal("the run has failed, in the test that began it")
	}
	dir := t.TempDir()
	if err := catalog.All().Write(dir, reportedRun.res); err != nil {
		t.Fatal(err)
	}
	return dir
}

// compileSchema compiles a published schema. Strict makes it refuse keys that it does not name: brunt must
// publish every key that it writes.
func compileSchema(t *testing.T, file string, strict bool) *jsonschema.Schema {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "examples", file))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if strict {
		closed(doc)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", doc); err != nil {
		t.Fatal(err)
	}
	out, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// The files of the published schemas of result.json and of a line of events.jsonl.
const (
	resultSchema = "result.schema.json"
	eventSchema  = "event.schema.json"
)

// closed makes every object of a schema refuse unknown keys, and every event an unknown kind.
func closed(v any) {
	switch v := v.(type) {
	case map[string]any:
		if v["properties"] != nil && v["type"] == "object" {
			v["additionalProperties"] = false
		}
		if v["type"] == "string" && v["description"] == "one that a later version added" {
			v["not"] = map[string]any{}
		}
		for _, x := range v {
			closed(x)
		}
	case []any:
		for _, x := range v {
			closed(x)
		}
	}
}

// TestPublished checks the output of a run against the published schemas.
func TestPublished(t *testing.T) {
	t.Parallel()
	dir := reported(t)
	schema := compileSchema(t, resultSchema, true)
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	check := func(s *jsonschema.Schema, text []byte) error {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		return s.Validate(doc)
	}
	text := read("result.json")
	if err := check(schema, text); err != nil {
		t.Errorf("result.json: %v", err)
	}
	for _, c := range []struct{ name, old, with string }{
		{"a text for a number", `"seed": `, `"seed": "x", "was": `},
		{"a verdict that there is not", `"verdict": "`, `"verdict": "un`},
		{"a key that is missing", `"exit_code": `, `"code": `},
		{"another version", fmt.Sprintf(`"version": %d`, result.ResultVersion), `"version": 0`},
	} {
		if !bytes.Contains(text, []byte(c.old)) {
			t.Fatalf("%s: %s is not in result.json", c.name, c.old)
		}
		if check(compileSchema(t, resultSchema, false), bytes.Replace(text, []byte(c.old), []byte(c.with), 1)) == nil {
			t.Errorf("the schema takes %s", c.name)
		}
	}
	event := compileSchema(t, eventSchema, true)
	seen := map[string]bool{}
	for line := range bytes.Lines(read("events.jsonl")) {
		if err := check(event, line); err != nil {
			t.Errorf("%s%v", line, err)
		}
		var e result.Event
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		seen[e.Event] = true
	}
	for _, kind := range []string{
		"run.start", "unit.ready", "load.start", "steady.held", "fault.injected", "unit.exit", "fault.cleared", "load.end",
	} {
		if !seen[kind] {
			t.Errorf("there is no event %s: %s", kind, reportedRun.res.Reason)
		}
	}
	if check(event, []byte(`{"t": 0, "event": "fault.wished"}`)) == nil {
		t.Error("the schema takes an event that there is not")
	}
	if err := check(compileSchema(t, eventSchema, false),
		[]byte(`{"t": 0, "event": "fault.wished", "why": 1}`)); err != nil {
		t.Errorf("the schema refuses what a later version may add: %v", err)
	}
}

// TestEventKinds: the published kinds of events are exactly those that brunt writes.
func TestEventKinds(t *testing.T) {
	written := regexp.MustCompile(`(?:\b[eE]vent\(|\btell\(|\bEvent: )"([a-z]+\.[a-z_]*)"( \+)?`)
	composed := map[string][]string{"write.": nil} // the full name is composed at run time
	for _, s := range ledger.States {
		composed["write."] = append(composed["write."], string(s))
	}
	known, seen := result.EventKinds(), map[string]bool{}
	for _, dir := range []string{"..", "../../chaos", "../../targets"} {
		var files []string
		if err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.HasSuffix(file, ".go") {
				files = append(files, file)
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(b, []byte("Event: k.Event()")) { // of a mark
				for _, k := range append(result.MarkKinds(), result.Continued) {
					seen[k.Event()] = true
				}
			}
			for _, m := range written.FindAllSubmatch(b, -1) {
				ends := []string{""}
				if len(m[2]) > 0 {
					if ends = composed[string(m[1])]; ends == nil {
						t.Errorf("%s writes %s with an end that is not known here", file, m[1])
					}
				}
				for _, end := range ends {
					kind := string(m[1]) + end
					if seen[kind] = true; known[kind] == "" {
						t.Errorf("%s writes %s, which result.EventKinds does not explain", file, kind)
					}
				}
			}
		}
	}
	for kind := range known {
		if !seen[kind] {
			t.Errorf("nothing writes %s", kind)
		}
	}
}

// TestHlog_FieldsReader reads latency.hlog with hdr-histogram-js, which is independent of the
// library that brunt uses: it finds the counts, percentiles and times of result.json.
func TestHlog_FieldsReader(t *testing.T) {
	if testing.Short() {
		t.Skip("the reader is a program of others")
	}
	modules := os.Getenv("BRUNT_NODE_MODULES")
	if modules == "" {
		const how = "needs hdr-histogram-js: `npm ci --prefix .ci/hlog`, then BRUNT_NODE_MODULES=.ci/hlog/node_modules as " +
			"an absolute path"
		suite.Lack(t, "%v", how)
	}
	dir := reported(t)
	cmd := exec.Command("node", filepath.Join("testdata", "hlog.js"), filepath.Join(dir, "latency.hlog"))
	cmd.Env = append(os.Environ(), "NODE_PATH="+modules)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	type histogram struct {
		Tag   int
		Start float64 // milliseconds since 1970
		Count int64
		Max   float64            // microseconds
		At    map[string]float64 // the same
	}
	found := map[int]histogram{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		var h histogram
		if err := json.Unmarshal(lines.Bytes(), &h); err != nil {
			t.Fatal(err)
		}
		found[h.Tag] = h
	}
	res, err := evidence.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	cells := 0
	for _, c := range res.Cells {
		if c.Hist == 0 || c.Outcome == "*" { // a row of all outcomes counts failures as slower than any answer
			continue
		}
		h, ok := found[c.Hist]
		what := strings.Join([]string{c.Phase.String(), c.Load, c.Step, c.Outcome}, " ")
		if !ok || h.Count != c.Count {
			t.Errorf("%s: %d values, result.json has %d", what, h.Count, c.Count)
			continue
		}
		cells++
		// The log has whole microseconds in buckets of three digits; result.json has the exact
		// largest value, and no percentile above it.
		if most := float64(c.Response.Max); h.Max/1e6 < most-1e-6 || h.Max/1e6 > most*1.002+1e-6 {
			t.Errorf("%s: the largest is %v us, %v s in result.json", what, h.Max, most)
		}
		for p, want := range map[string]result.Num{
			"p50": c.Response.P50, "p90": c.Response.P90, "p95": c.Response.P95, "p99": c.Response.P99,
			"p99.9": c.Response.P999,
		} {
			if have := h.At[p] / 1e6; math.Abs(min(have, float64(c.Response.Max))-float64(want)) > 1e-9 {
				t.Errorf("%s: %s is %v s, %v s in result.json", what, p, have, want)
			}
		}
	}
	windows := 0
	for _, w := range res.Windows {
		h, ok := found[w.Hist]
		if w.Hist == 0 || !ok {
			continue
		}
		windows++
		if at := float64(res.T0.UnixNano())/1e6 + float64(w.T)*1e3; math.Abs(h.Start-at) > 1 {
			t.Errorf("the window at %v s begins at %.3f ms, %.3f in the log", w.T, at, h.Start)
		}
	}
	if cells < 10 || windows < 3 {
		t.Errorf("only %d cells and %d windows were compared", cells, windows)
	}
}
