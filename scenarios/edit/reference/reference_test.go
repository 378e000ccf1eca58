package reference

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"brunt/chaos/selector"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

// top is the root of the module.
const top = "../../.."

// scenarioSchema is a small schema with each form that brunt's own schema has.
const scenarioSchema = `{"type": "object", "anyOf": [{"required": ["extends"]}, {"required": ["load"]}],
 "properties": {"name": {"description": "of the scenario", "type": "string"}, "chaos": {"description": "the timeline"}, "load": {"description": "the loads"},
  "setup": {"description": "before the load", "items": {"anyOf": [{"$ref": "#/$defs/step"},
    {"properties": {"command": {"description": "a program"}}, "required": ["command"]}]}},
  "health": {"anyOf": [{"type": "string"}, {"properties": {"command": {"description": "a program"}}, "required": ["command"]}]}},
 "else": {"properties": {
  "chaos": {"additionalProperties": {"type": "object", "properties": {
    "at": {"$ref": "#/$defs/at", "description": "offset from t0"},
    "network.latency": {"description": "Delays what passes.", "type": "object", "required": ["delay"],
      "properties": {"delay": {"$ref": "#/$defs/at", "description": "added; zero is 100ms"}}}}}},
  "load": {"additionalProperties": {"oneOf": [
    {"description": "ARate begins iterations at a rate.", "properties": {"executor": {"const": "a-rate"}, "rate": {"description": "per second"},
      "burst": {"description": "at once"},
      "flow": {"description": "the steps", "items": {"$ref": "#/$defs/step"}}}, "required": ["executor", "burst"]},
    {"properties": {"executor": {"const": "users"}, "vus": {"description": "how many"}}},
    {"properties": {"executor": {"const": "others"}, "rate": {}, "vus": {}}},
    {"properties": {"script": {}}, "required": ["script"]}]}}}},
 "$defs": {"at": {"anyOf": [{"examples": ["5s", "1m"]}, {"type": "string", "pattern": "\\$\\{"}]},
  "step": {"oneOf": [
    {"title": "http", "properties": {"get": {"description": "a path", "type": "string"}, "name": {"description": "of the step"},
      "check": {"description": "default: under 400", "properties": {"status": {}}, "patternProperties": {"^\\$": {"description": "at a path"}}}}},
    {"title": "grpc", "properties": {"name": {"description": "of the step"}, "check": {"description": "default: OK"}}}]}}}`

func newReference(t *testing.T) *Reference {
	t.Helper()
	r, err := New(Sources{
		Scenario: []byte(scenarioSchema), Policy: []byte(`{}`), Drill: []byte(`{}`), Event: []byte(`{}`),
		Result:    []byte(`{"properties": {"verdict": {"description": "what it came to", "enum": ["pass", "fail"]}}, "required": ["verdict"]}`),
		Faults:    []string{"network.latency"},
		Converted: [][3]string{{"toy", "a toy's file", "a flow"}},
		ExitCodes: [][3]string{{"130, 143", "interrupted", "by a signal"}, {"0", "pass", "every objective held"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReference_Explain(t *testing.T) {
	r := newReference(t)
	for _, tt := range []struct {
		name, query string
		want        []string
	}{
		{
			"a fault by its kind", "network.latency",
			[]string{"network.latency: a kind of fault", "Delays what passes.", "delay (required)", "added; default: 100ms"},
		},
		{"a fault by its path", "chaos.network.latency", []string{"a kind of fault"}},
		{
			"a key of a fault", "network.latency.delay",
			[]string{"chaos.network.latency.delay: a required key", "Value: 5s, 1m."},
		},
		{"the end of a path", "latency.delay", []string{"chaos.network.latency.delay"}},
		{"a key with names below it", "chaos", []string{"Keys, below a name of yours:", "at"}},
		{"a key of some executors", "load.rate", []string{"per second."}},
		{"a key as a file has it", "load.browse.rate", []string{"load.rate: a key"}},
		{"a key of a fault as a file has it", "chaos.slow.at", []string{"chaos.at: a key"}},
		{"a metric that is a key of a load", "rate", []string{"rate: a metric", "load.rate: a key"}},
		{"an executor", "a-rate", []string{"a-rate: an executor", "Begins iterations at a rate.", "load.burst (required)"}},
		{
			"a key that an executor requires", "load.burst",
			[]string{"load.burst: a key\n", "Executors: a-rate.", "Required by: a-rate."},
		},
		{"a key that one form of a load requires", "load.script", []string{"load.script: a key\n"}},
		{"a list of steps", "load.flow", []string{"load.flow: a key, a list", "An item is a step: brunt explain step."}},
		{
			"a list of steps or commands", "setup",
			[]string{"Keys of an item, which may also be a step", "    command  a program"},
		},
		{"what one form of an item requires", "setup.command", []string{"setup.command: a key\n"}},
		{"what the only form with keys requires", "health", []string{"command (required)  a program"}},
		{"a key of a step", "get", []string{"step.get: a key", "Value: text."}},
		{"a key that protocols have in common", "step.name", []string{"of the step.", "Protocols: http, grpc."}},
		{
			"a key that differs by protocol", "step.check",
			[]string{"http: default: under 400; grpc: default: OK.", "$…      at a path"},
		},
		{"a key that a scenario needs unless it extends another", "load", []string{"load: a required key\n"}},
		{"a protocol", "http", []string{
			"http: a protocol", "Steps: get, post, ", "URLs begin with http:// or", "step.get",
			"step.check",
		}},
		{"what a key is in the protocol", "grpc", []string{"step.check  default: OK\n"}},
		{"the protocols", "protocols", []string{"Calls a method of gRPC."}},
		{"a converter", "toy", []string{"toy: a converter", "Reads a toy's file: a flow."}},
		{"a metric that is a term", "recover", []string{"recover: a term", "recover: a metric"}},
		{"any percentile", "p99.5", []string{"p95: a metric"}},
		{"a term", "hold", []string{"hold: a term", "judge.hold"}},
		{"another word for a term", "rto", []string{"recover: a term"}},
		{"an exit code", "143", []string{"143: an exit code", "interrupted: by a signal."}},
		{"a list", "exit-codes", []string{"130, 143", "every objective held"}},
		{
			"a key of result.json", "result.verdict",
			[]string{"result.verdict: a key, always there", "what it came to.", "Value: pass, fail."},
		},
		{"the keys of result.json", "result", []string{"verdict (always)"}},
		{
			"a topic with the formats of convert", "convert",
			[]string{"|---|---|\n| a toy's file | a flow |\n\n`brunt validate`"},
		},
		{"nothing", "", []string{"Keys of a scenario:", "name"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := r.Explain(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				if !strings.Contains(got, want) {
					t.Errorf("%q is missing in:\n%s", want, got)
				}
			}
			for line := range strings.Lines(got) {
				if strings.TrimRight(line, " \n") != strings.TrimRight(line, "\n") {
					t.Errorf("blanks at the end of %q", line)
				}
			}
		})
	}
}

func TestReference_ExplainUnknown(t *testing.T) {
	for query, want := range map[string]string{
		"network.latenzy": `nothing is known of "network.latenzy"; did you mean "network.latency"?`,
		"toxic":           `nothing is known of "toxic"; the toxics of toxiproxy are faults here`,
	} {
		if _, err := newReference(t).Explain(query); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", query, err)
		}
	}
}

// TestReference_Metrics: a metric has the meaning of its own row, also where its name begins with that of another.
func TestReference_Metrics(t *testing.T) {
	r := newReference(t)
	for _, row := range slo.Metrics() {
		for _, name := range row.Written {
			want := row.Meaning
			switch {
			case row.Needs == slo.NeedsSeries: // each form has its own text
				continue
			case percentile.MatchString(name) && !strings.HasPrefix(name, "p"):
				family, _, _ := strings.Cut(name, ".")
				want = metricTexts[family+".p"]
			}
			if e := r.entries["metric."+name]; e == nil || e.Text != want {
				t.Errorf("%s: %+v, want %q", name, e, want)
			}
		}
	}
}

// TestReference_SeeAlso: a text refers to the terms that it uses, and not to plain words that are terms elsewhere.
func TestReference_SeeAlso(t *testing.T) {
	r := newReference(t)
	got := r.seeAlso(&entry{Path: "term.x", Sort: "term", Text: "The run shows what a fault did to a unit."})
	if !slices.Equal(got, []string{"unit"}) {
		t.Errorf("%q", got)
	}
}

// TestReference_ExplainReport checks that words of a report and of the terminal are explained, as they are
// written there.
func TestReference_ExplainReport(t *testing.T) {
	r := newReference(t)
	for _, word := range []string{
		"in flight", "open files", "exit code", "error budget", "not recovered", "not injected", "±", "waits", "heatmap",
		"Resilience",
		"pass", "fail", "inconclusive", "invalid", "stopped", "interrupted", "reinjected", "manifest", "signature",
		"smallest outage",
	} {
		if _, err := r.Explain(word); err != nil {
			t.Error(err)
		}
	}
}

// TestSchema_Described checks that keys are described by the comments of their fields. If many
// are not, Comments does not find them.
func TestSchema_Described(t *testing.T) {
	doc := Comments(top)
	entries := map[string]*entry{}
	for prefix, schema := range map[string]any{
		"": Schema(doc), "policy": PolicySchema(doc), "drill": DrillSchema(doc), "result": result.Schema(doc),
		"event": result.EventSchema(doc),
	} {
		text, err := json.Marshal(schema)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := readSchema(text, prefix, Sources{Comments: doc}, entries); err != nil {
			t.Fatal(err)
		}
	}
	var none []string
	for path, e := range entries {
		if e.Text == "" {
			none = append(none, path)
		}
	}
	slices.Sort(none)
	if len(none) > 0 {
		t.Errorf("%d keys have no description:\n%s", len(none), strings.Join(none, "\n"))
	}
}

// The reference shows no zero as a value of a key that must be more than zero, and shows what a fault is
// done to and where.
func TestReference_Values(t *testing.T) {
	text, err := json.Marshal(Schema(Comments(top)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(Sources{
		Scenario: text, Policy: []byte(`{}`), Drill: []byte(`{}`), Event: []byte(`{}`), Result: []byte(`{}`),
		Faults: []string{"network.latency", "network.loss", "network.stall", "network.reorder", "process.freeze", "exec"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, zero := range map[string]bool{
		"chaos.network.latency.delay": false, "chaos.network.latency.jitter": true, "chaos.network.reorder.delay": false,
	} {
		if e := r.entries[path]; slices.Contains(e.Forms, "0") != zero || !slices.Contains(e.Forms, "250ms") {
			t.Errorf("%s: %q", path, e.Forms)
		}
	}
	for kind, want := range map[string][2]string{
		"network.loss":   {"links, packets of containers", "all; packets of containers: Linux"}, // links carry datagrams
		"network.stall":  {"links, packets of containers", "all; packets of containers: Linux"},
		"process.freeze": {"processes", "all; not on Windows"},
		"exec":           {"what its settings name", "all; on Windows only commands written as lists"},
	} {
		if e := r.entries["chaos."+kind]; e.On != want[0] || e.Systems != want[1] {
			t.Errorf("%s: %q, %q", kind, e.On, e.Systems)
		}
	}
}

// TestReference_PacketKeys: the keys that choose packets are shown of faults on packets alone.
func TestReference_PacketKeys(t *testing.T) {
	text, err := json.Marshal(Schema(Comments(top)))
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(Sources{
		Scenario: text, Policy: []byte(`{}`), Drill: []byte(`{}`), Event: []byte(`{}`), Result: []byte(`{}`),
		Faults: []string{"network.latency", "http.error", "process.freeze"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for kind, want := range map[string]bool{"network.latency": true, "http.error": false} {
		for _, key := range selector.PacketKeys() {
			path := "chaos." + kind + "." + key
			if got := slices.Contains(r.entries["chaos."+kind].Keys, path); got != want || (r.entries[path] != nil) != want {
				t.Errorf("%s is listed: %t", path, got)
			}
		}
		if !slices.Contains(r.entries["chaos."+kind].Keys, "chaos."+kind+".from") {
			t.Errorf("%s has no from", kind)
		}
	}
	if !slices.Contains(r.entries["chaos.process.freeze"].Keys, "chaos.process.freeze.container") {
		t.Error("a fault on processes has no container")
	}
}

// TestReference_Zero: no text says what Go's zero value means: it says what the default is.
func TestReference_Zero(t *testing.T) {
	doc := Comments(top)
	sources := Sources{Result: []byte(`{}`), Event: []byte(`{}`), Comments: doc}
	for to, schema := range map[*[]byte]syntax.Schema{
		&sources.Scenario: Schema(doc), &sources.Policy: PolicySchema(doc), &sources.Drill: DrillSchema(doc),
	} {
		text, err := json.Marshal(schema)
		if err != nil {
			t.Fatal(err)
		}
		*to = text
	}
	r, err := New(sources)
	if err != nil {
		t.Fatal(err)
	}
	value := regexp.MustCompile(`(?i)\b(nil|zero (is|with|sends|asks|reads)|\(zero\)|not set:)`)
	for _, e := range r.of("key") {
		if found := value.FindString(e.Text); found != "" {
			t.Errorf("%s: %q in %q", e.Path, found, e.Text)
		}
	}
}

// TestReference_EndpointKeys: the table of protocols has the keys of endpoints apart from those of steps, whose names
// may have dots.
func TestReference_EndpointKeys(t *testing.T) {
	r := newReference(t)
	r.entries["protocol.kafka"].Keys = []string{"step.kafka.produce", "step.acks"}
	r.entries["protocol.grpc"].Keys = []string{"step.grpc", "target.endpoints.protos"}
	table := r.protocolsTable()
	for _, want := range []string{" | `acks` |  |\n", " |  | `protos` |\n"} {
		if !strings.Contains(table, want) {
			t.Errorf("no row ends with %q in\n%s", want, table)
		}
	}
}
