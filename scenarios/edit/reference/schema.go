package reference

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"brunt/chaos"
	faultcatalog "brunt/chaos/catalog"
	"brunt/chaos/container"
	"brunt/chaos/probe"
	"brunt/chaos/selector"
	"brunt/scenarios"
	"brunt/scenarios/drills"
	"brunt/scenarios/driver"
	"brunt/scenarios/load"
	"brunt/scenarios/policies"
	"brunt/scenarios/quantity"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
	"brunt/targets"
	"brunt/targets/catalog"
	"brunt/targets/http"
	"brunt/targets/http/auth"
	"brunt/targets/platform"
)

// Schema returns the JSON Schema of scenarios, made from the types that read them and their comments.
func Schema(doc syntax.Describer) syntax.Schema {
	doc = settings(doc)
	root := scenarios.DocumentSchema(doc)
	props := root["properties"].(syntax.Schema)
	withProofs(root, doc)
	own := syntax.Schema{
		"load": loadSchema(doc), "chaos": faultsSchema(doc), "conditions": conditionsSchema(doc), "target": targetSchema(doc),
	}
	partial := syntax.Schema{}
	for key, s := range own {
		props[key] = syntax.Schema{"description": about[key]}
		partial[key] = relaxed(s.(syntax.Schema))
	}
	props["metrics"] = namedSchema(props["metrics"], syntax.NameSchema(), reflect.TypeFor[probe.Gauge](), doc, "scrape",
		"prometheus", "command", "get", "ask")
	props["ledgers"] = syntax.Schema{
		"description": props["ledgers"].(syntax.Schema)["description"], "type": []any{"object", "null"},
		"propertyNames":        syntax.NameSchema(),
		"additionalProperties": props["ledger"],
	}
	props["consistency"] = namedSchema(props["consistency"], syntax.NameSchema(),
		reflect.TypeFor[scenarios.Consistency](), doc)
	props["deliveries"] = namedSchema(props["deliveries"], syntax.NameSchema(), reflect.TypeFor[scenarios.Delivery](), doc)
	props["alerts"] = namedSchema(props["alerts"], slo.AlertNameSchema(), reflect.TypeFor[probe.Alert](), doc,
		"prometheus", "alertmanager")
	props["watch"] = namedSchema(props["watch"], syntax.NameSchema(), reflect.TypeFor[probe.Watch](), doc, "path", "get",
		"command", "exec", "scrape", "ask")
	props["leaders"] = namedSchema(props["leaders"], syntax.NameSchema(), reflect.TypeFor[selector.Leader](), doc, "path",
		"get", "command", "exec", "scrape", "ask")
	for _, key := range []string{"setup", "teardown"} {
		props[key] = onceSchema(props[key], doc)
	}
	root["if"] = syntax.Schema{"required": []any{"extends"}}
	root["then"], root["else"] = syntax.Schema{"properties": partial}, syntax.Schema{"properties": own}
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "brunt scenario, version 1"
	defs := syntax.Schema{"step": stepSchema(doc)}
	root = shared(root, defs)
	root["$defs"] = defs
	return root
}

// shared moves the repeated parts of s to defs. Each is named after the property that contains it first.
func shared(s, defs syntax.Schema) syntax.Schema {
	const worth = 160 // minimum size of a part in bytes
	times, names := map[string]int{}, map[string]string{}
	var count, move func(s syntax.Schema, name string) syntax.Schema
	count = func(s syntax.Schema, name string) syntax.Schema {
		text := textOf(s)
		if times[text]++; times[text] > 1 && len(text) > worth {
			return s // its parts move with it
		}
		return parts(s, name, count)
	}
	move = func(s syntax.Schema, name string) syntax.Schema {
		text := textOf(s)
		if times[text] < 2 || len(text) <= worth {
			return parts(s, name, move)
		}
		if names[text] == "" {
			names[text] = name
			for i := 2; defs[names[text]] != nil; i++ {
				names[text] = fmt.Sprintf("%s-%d", name, i)
			}
			defs[names[text]] = s // reserves the name while its parts move
			defs[names[text]] = parts(s, name, move)
		}
		ref := syntax.Schema{"$ref": "#/$defs/" + names[text]}
		if about, ok := s["description"]; ok { // a description belongs to the place of use
			ref["description"] = about
		}
		return ref
	}
	count(s, "scenario")
	return parts(s, "scenario", move)
}

func textOf(s syntax.Schema) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a schema is made of maps, lists and texts
	}
	return string(b)
}

// parts applies f to every schema in s. Name is the name of the property that s describes.
func parts(s syntax.Schema, name string, f func(s syntax.Schema, name string) syntax.Schema) syntax.Schema {
	out := syntax.Schema{}
	for _, key := range slices.Sorted(maps.Keys(s)) {
		switch v := s[key].(type) {
		case syntax.Schema:
			if key != "properties" && key != "patternProperties" {
				out[key] = f(v, name)
				continue
			}
			props := syntax.Schema{}
			for _, p := range slices.Sorted(maps.Keys(v)) {
				props[p] = f(v[p].(syntax.Schema), cmp.Or(strings.Trim(p, `^\$`), name))
			}
			out[key] = props
		case []any:
			list := slices.Clone(v)
			for i := range list {
				if x, ok := list[i].(syntax.Schema); ok {
					list[i] = f(x, name)
				}
			}
			out[key] = list
		default:
			out[key] = v
		}
	}
	return out
}

// about describes keys without a field that has a comment.
var about = map[string]string{
	"load":  "the loads by name; they run at the same time",
	"chaos": "the timeline of faults by name; each has a time and exactly one kind, or the steps of a group",
	"conditions": "faults that hold for the whole run, by name, each a kind without a time: what the system under test " +
		"always lives with, such " +
		"as the delay of a link between two sites. They are in from before `setup` until after `teardown`, in a control " +
		"run as well; no phase and " +
		"no objective is about them, and a run that could not keep one in is invalid",
	"target": "what is loaded: a built-in stack, processes or containers that brunt starts, a Compose file, or a " +
		"URL or endpoints of a system that runs",
	"executor": "how arrivals or virtual users are scheduled; required, except with k6",
	"name":     "what reports and objectives call the request; METHOD path by default",
	"at": "the endpoint of target.endpoints that the step goes to; by default the only one of its protocol, or " +
		"the target's own URL",
	"think":      "a pause instead of a request: 500ms, or a range such as 100ms..400ms",
	"stack":      "a system that is part of brunt",
	"with":       "switches of the built-in system",
	"processes":  "services by name; brunt starts, watches and ends them",
	"containers": "services by name; brunt makes their containers in a Docker engine, and removes them",
	"units":      "containers that already run, beside a url: a name for each, which faults use, and its selector",
	"compose":    "a Compose file; the machine's own command brings it up and takes it down",
}

// relaxed returns the schema for a part of a file that extends another file: the required keys may be in the other
// file. Items of lists must be complete.
func relaxed(s syntax.Schema) syntax.Schema {
	out := syntax.Schema{}
	for key, v := range s {
		switch v := v.(type) {
		case syntax.Schema:
			if key != "items" && key != "not" && key != "propertyNames" {
				v = relaxed(v)
			}
			out[key] = v
		case []any:
			relaxedList(out, key, v)
		default:
			out[key] = v
		}
	}
	delete(out, "minProperties")
	if out["type"] == "object" {
		out["type"] = []any{"object", "null"}
	}
	return out
}

func relaxedList(out syntax.Schema, key string, list []any) {
	if key == "required" {
		return
	}
	if key == "type" || key == "enum" || key == "examples" {
		out[key] = list
		return
	}
	var all []any
	for _, x := range list {
		x := x.(syntax.Schema)
		if _, alone := x["not"]; x["required"] == nil || len(x) > 1 && !(alone && len(x) == 2) {
			all = append(all, relaxed(x))
		}
	}
	if key == "oneOf" { // the keys that distinguish the alternatives may be left out
		key = "anyOf"
	}
	if len(all) > 0 {
		out[key] = all
	}
}

// namedSchema returns the schema of a map of names to settings. Each setting has exactly one of the keys in one. Was
// is the description of the keys.
func namedSchema(
	was any, names syntax.Schema, settings reflect.Type, doc syntax.Describer, one ...string,
) syntax.Schema {
	s := syntax.SchemaOf(settings, doc)
	s["description"] = doc(settings, "")
	var keys []any
	for _, key := range one {
		keys = append(keys, syntax.Schema{"required": []any{key}})
	}
	if len(keys) > 0 {
		s["oneOf"] = keys
	}
	return syntax.Schema{
		"description": was.(syntax.Schema)["description"], "type": []any{"object", "null"},
		"propertyNames": names, "additionalProperties": s,
	}
}

// loadSchema returns one schema for each executor. The name of the executor selects it.
func loadSchema(doc syntax.Describer) syntax.Schema {
	common := scenarios.LoadSchema(doc)
	withProofs(common, doc)
	request := syntax.SchemaOf(http.RecordedSettingsType(), doc)
	withProofs(request, doc)
	props := common["properties"].(syntax.Schema)
	props["request"] = syntax.Schema{"description": common.Property("request")["description"], "allOf": []any{request}}
	var engines, all []any
	for _, name := range driver.Engines(driver.All()) {
		engines = append(engines, name)
	}
	props["engine"] = syntax.Schema{
		"description": common.Property("engine")["description"],
		"allOf":       []any{syntax.Scalar(syntax.Schema{"enum": engines})},
	}
	for _, name := range slices.Sorted(maps.Keys(load.Kinds())) {
		s := common.With(syntax.SchemaOf(reflect.TypeOf(load.Kinds()[name]()).Elem(), doc))
		s["description"] = doc(reflect.TypeOf(load.Kinds()[name]()).Elem(), "")
		s["properties"].(syntax.Schema)["executor"] = syntax.Schema{"const": name, "description": about["executor"]}
		s["oneOf"] = []any{
			syntax.Schema{"required": []any{"flow"}},
			syntax.Schema{"required": []any{"mix"}},
			syntax.Schema{"required": []any{"targets"}},
		}
		if name == scenarios.Replay {
			s["not"] = syntax.Schema{"anyOf": s["oneOf"]}
			delete(s, "oneOf")
		}
		all = append(all, s)
	}
	script := syntax.SchemaOf(reflect.TypeFor[scenarios.Script](), doc)
	script["type"], script["description"] = "object", doc(reflect.TypeFor[scenarios.Script](), "")
	all = append(all, script)
	return syntax.Schema{
		"description": about["load"], "type": "object", "minProperties": 1, "propertyNames": syntax.NameSchema(),
		"additionalProperties": syntax.Schema{"oneOf": all},
	}
}

// faultsSchema is the schema of the timeline.
func faultsSchema(doc syntax.Describer) syntax.Schema {
	return syntax.Schema{
		"description": about["chaos"], "type": []any{"object", "null"}, "propertyNames": syntax.NameSchema(),
		"additionalProperties": faultSchema(doc),
	}
}

// conditionsSchema returns the schema of faults that hold for the whole run: each has exactly one kind.
func conditionsSchema(doc syntax.Describer) syntax.Schema {
	props := syntax.Schema{}
	return syntax.Schema{
		"description": about["conditions"], "type": []any{"object", "null"}, "propertyNames": syntax.NameSchema(),
		"additionalProperties": syntax.Schema{
			"type": "object", "oneOf": addKinds(props, doc, lasting), "properties": props,
			"additionalProperties": false,
		},
	}
}

// faultSchema returns the schema of an entry of the timeline: its time, and exactly one kind.
func faultSchema(doc syntax.Describer) syntax.Schema {
	s := scenarios.Timing(doc)
	props := s["properties"].(syntax.Schema)
	props["detect"] = syntax.Schema{
		"description": doc(reflect.TypeFor[scenarios.Fault](), "Detect"),
		"anyOf":       []any{syntax.SchemaOf(reflect.TypeFor[*probe.Detect](), doc)},
	}
	step := syntax.SchemaOf(reflect.TypeFor[scenarios.FaultStep](), doc)
	step["type"], step["oneOf"] = "object", addKinds(step["properties"].(syntax.Schema), doc, anyFault)
	props["steps"] = syntax.Schema{
		"description": props["steps"].(syntax.Schema)["description"], "type": "array", "minItems": 1, "items": step,
	}
	one := append(addKinds(props, doc, anyFault), syntax.Schema{"required": []any{"steps"}})
	begins := []any{}
	for _, key := range []string{"at", "after", "during", "trigger"} {
		begins = append(begins, syntax.Schema{"required": []any{key}})
	}
	s["allOf"] = []any{syntax.Schema{"oneOf": one}, syntax.Schema{"oneOf": begins}}
	return s
}

func anyFault(chaos.Fault) bool { return true }

// lasting reports whether a fault stays until it is reverted.
func lasting(f chaos.Fault) bool { return !f.Traits(chaos.Scope{}).OneShot }

// addKinds adds the kinds of faults for which may is true to the properties of an object. It returns the requirement
// that one of them is present.
func addKinds(props syntax.Schema, doc syntax.Describer, may func(chaos.Fault) bool) (one []any) {
	for _, f := range faultcatalog.Faults() {
		if !may(f) {
			continue
		}
		d := f.Describe()
		name, kind := d.Kind, reflect.TypeOf(f).Elem()
		settings := syntax.SchemaOf(kind, doc)
		settings["description"] = strings.TrimSpace(d.Doc + " " + furtherSentences(doc(kind, "")))
		props[name] = settings
		one = append(one, syntax.Schema{"required": []any{name}})
	}
	slices.SortFunc(one, func(a, b any) int {
		return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
	})
	return one
}

// furtherSentences returns a comment without its first sentence.
func furtherSentences(comment string) string {
	_, rest, _ := strings.Cut(strings.Join(strings.Fields(comment), " "), ". ")
	return rest
}

// targetSchema returns the schema of the target: exactly one kind, or only endpoints.
func targetSchema(doc syntax.Describer) syntax.Schema {
	s := syntax.SchemaOf(reflect.TypeFor[scenarios.Target](), doc)
	props := s["properties"].(syntax.Schema)
	var names, with []any
	for _, name := range slices.Sorted(maps.Keys(platform.Kinds())) {
		names = append(names, name)
		with = append(with, syntax.SchemaOf(reflect.TypeOf(platform.Kinds()[name]()).Elem(), doc))
	}
	s["description"] = about["target"]
	props["stack"] = syntax.Schema{
		"description": about["stack"], "allOf": []any{syntax.Scalar(syntax.Schema{"enum": names})},
	}
	props["with"] = syntax.Schema{"description": about["with"], "anyOf": with}
	props["ready"] = readySchema(props["ready"], doc)
	props["processes"] = syntax.Schema{
		"description": about["processes"], "type": "object", "minProperties": 1, "propertyNames": syntax.NameSchema(),
		"additionalProperties": serviceSchema(reflect.TypeFor[platform.Process](), doc),
	}
	props["containers"] = syntax.Schema{
		"description": about["containers"], "type": "object", "minProperties": 1, "propertyNames": syntax.NameSchema(),
		"additionalProperties": serviceSchema(reflect.TypeFor[platform.Container](), doc),
	}
	props["units"] = syntax.Schema{
		"description": about["units"], "type": "object", "minProperties": 1, "propertyNames": syntax.NameSchema(),
		"additionalProperties": syntax.SchemaOf(reflect.TypeFor[container.Service](), doc),
	}
	compose := props["compose"].(syntax.Schema)
	props["compose"] = syntax.Schema{
		"description": about["compose"], "anyOf": []any{syntax.Schema{"type": "string", "minLength": 1}, compose},
	}
	var one []any
	for _, key := range []string{"url", "stack", "processes", "containers", "compose"} {
		one = append(one, syntax.Schema{"required": []any{key}})
	}
	alone := syntax.Schema{"required": []any{"endpoints"}, "not": syntax.Schema{"anyOf": one}}
	s["oneOf"] = append(slices.Clone(one), alone)
	return s
}

// onceSchema returns the schema of setup and teardown, whose steps may also be commands. Given is the schema of
// steps.
func onceSchema(given any, doc syntax.Describer) syntax.Schema {
	command := syntax.SchemaOf(reflect.TypeFor[probe.Once](), doc)
	command["type"], command["description"] = "object", doc(reflect.TypeFor[probe.Once](), "")
	return syntax.Schema{
		"description": given.(syntax.Schema)["description"], "type": []any{"array", "null"},
		"items": syntax.Schema{"anyOf": []any{syntax.Schema{"$ref": "#/$defs/step"}, command}},
	}
}

// serviceSchema returns the schema of a service. Its `ready` accepts every kind of question.
func serviceSchema(t reflect.Type, doc syntax.Describer) syntax.Schema {
	s := syntax.SchemaOf(t, doc)
	props := s["properties"].(syntax.Schema)
	props["ready"] = readySchema(props["ready"], doc)
	return s
}

// readySchema is the schema of a ready block, with the description of the given one.
func readySchema(given any, doc syntax.Describer) syntax.Schema {
	return syntax.Schema{
		"description": given.(syntax.Schema)["description"],
		"anyOf":       []any{syntax.SchemaOf(reflect.TypeFor[*probe.Ready](), doc)},
	}
}

// withProofs adds the possible values of auth and sign to an object's schema.
func withProofs(s syntax.Schema, doc syntax.Describer) {
	for key, t := range map[string]reflect.Type{
		"auth": reflect.TypeFor[auth.Auth](), "sign": reflect.TypeFor[auth.Sign](),
	} {
		p := s.Property(key)
		if p == nil {
			continue
		}
		block := syntax.SchemaOf(t, doc)
		var one []any
		for _, kind := range slices.Sorted(maps.Keys(block["properties"].(syntax.Schema))) {
			if kind != "header" && kind != "scheme" {
				one = append(one, syntax.Schema{"required": []any{kind}})
			}
		}
		block["type"], block["oneOf"] = "object", one
		s["properties"].(syntax.Schema)[key] = syntax.Schema{
			"description": p["description"], "anyOf": []any{syntax.Schema{"enum": []any{"off", false, nil}}, block},
		}
	}
}

// stepSchema returns the schema of a step: a pause, or a request of one protocol.
func stepSchema(doc syntax.Describer) syntax.Schema {
	think := syntax.Schema{
		"type": "object", "required": []any{"think"}, "additionalProperties": false,
		"properties": syntax.Schema{"think": syntax.Schema{
			"description": about["think"],
			"allOf":       []any{(*quantity.Range)(nil).Schema()},
		}},
	}
	all := []any{think}
	common := syntax.Schema{}
	for _, key := range []string{"name", "at"} {
		common[key] = syntax.Schema{"description": about[key], "allOf": []any{syntax.TextSchema()}}
	}
	of := func(p *targets.Descriptor, settings reflect.Type, kinds []any) syntax.Schema {
		s := syntax.SchemaOf(settings, doc).With(syntax.Schema{"properties": common})
		s["title"], s["description"] = p.Name, p.Doc
		withProofs(s, doc)
		if e := s.Property("extract"); e != nil {
			e["propertyNames"] = syntax.VariableSchema()
		}
		s["oneOf"] = kinds
		return s
	}
	for _, p := range catalog.Protocols() {
		var kinds []any
		for _, kind := range p.Kinds {
			kinds = append(kinds, kindSchema(kind, p))
		}
		all = append(all, of(p, p.Settings, kinds))
		for _, f := range p.Forms {
			all = append(all, of(p, f.Settings, []any{syntax.Schema{"required": []any{f.Kind, f.Key}}}))
		}
	}
	return syntax.Schema{"oneOf": all}
}

// kindSchema requires the key of a kind of a protocol. If the key can also be a setting of another kind, no other
// kind may be present.
func kindSchema(kind string, of *targets.Descriptor) syntax.Schema {
	s := syntax.Schema{"required": []any{kind}}
	if !slices.Contains(of.Beside, kind) {
		return s
	}
	var others []any
	for _, other := range of.Kinds {
		if other != kind {
			others = append(others, syntax.Schema{"required": []any{other}})
		}
	}
	s["not"] = syntax.Schema{"anyOf": others}
	return s
}

// settings turns zero values in comments into defaults, for the authors of YAML.
func settings(doc syntax.Describer) syntax.Describer {
	if doc == nil {
		return nil
	}
	return func(t reflect.Type, field string) string { return zeroIs.ReplaceAllString(doc(t, field), "default: ") }
}

// PolicySchema is the JSON Schema of policy files, made from the type that reads them.
func PolicySchema(doc syntax.Describer) syntax.Schema {
	root := policies.Schema(slices.Sorted(maps.Keys(faultcatalog.Kinds())), settings(doc))
	defs := syntax.Schema{}
	root = shared(root, defs)
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "brunt policy, version 1"
	if len(defs) > 0 {
		root["$defs"] = defs
	}
	return root
}

// DrillSchema is the JSON Schema of drill files, made from the type that reads them.
func DrillSchema(doc syntax.Describer) syntax.Schema {
	root := drills.Schema(settings(doc))
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "brunt drill, version 1"
	return root
}
