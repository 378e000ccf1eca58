package reference

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"reflect"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/load"
	"brunt/targets"
	"brunt/targets/demo"
	"brunt/targets/stack"
)

// Schema is the JSON Schema of scenarios, made from the types that read them.
func Schema() scenarios.Schema {
	doc := describer(sources())
	root := scenarios.DocumentSchema(doc)
	props := root["properties"].(scenarios.Schema)
	withProofs(root, doc)
	own := scenarios.Schema{"load": loadSchema(doc), "chaos": faultsSchema(doc), "target": targetSchema(doc)}
	partial := scenarios.Schema{}
	for key, s := range own {
		props[key] = scenarios.Schema{"description": about[key]}
		partial[key] = relaxed(s.(scenarios.Schema))
	}
	props["metrics"] = namedSchema(props["metrics"], scenarios.NameSchema(), reflect.TypeFor[chaos.Gauge](), doc, "scrape", "prometheus")
	props["alerts"] = namedSchema(props["alerts"], scenarios.AlertNameSchema(), reflect.TypeFor[chaos.Alert](), doc, "prometheus", "alertmanager")
	root["if"] = scenarios.Schema{"required": []any{"extends"}}
	root["then"], root["else"] = scenarios.Schema{"properties": partial}, scenarios.Schema{"properties": own}
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "brunt scenario, version 1"
	defs := scenarios.Schema{"step": stepSchema(doc)}
	root = shared(root, defs)
	root["$defs"] = defs
	return root
}

// sources are the texts of the packages whose types are read from files.
func sources() map[string]embed.FS {
	return map[string]embed.FS{
		"brunt/scenarios": scenarios.Source, "brunt/scenarios/load": load.Source, "brunt/targets": targets.Source,
		"brunt/targets/stack": stack.Source, "brunt/targets/demo": demo.Source, "brunt/chaos": chaos.Source,
	}
}

// shared gives s with what stands in it several times moved to defs, under the name
// of the property that it was first met in.
func shared(s, defs scenarios.Schema) scenarios.Schema {
	const worth = 160 // bytes
	times, names := map[string]int{}, map[string]string{}
	var count, move func(s scenarios.Schema, name string) scenarios.Schema
	count = func(s scenarios.Schema, name string) scenarios.Schema {
		text := textOf(s)
		if times[text]++; times[text] > 1 && len(text) > worth {
			return s // what is in it moves with it
		}
		return parts(s, name, count)
	}
	move = func(s scenarios.Schema, name string) scenarios.Schema {
		text := textOf(s)
		if times[text] < 2 || len(text) <= worth {
			return parts(s, name, move)
		}
		if names[text] == "" {
			names[text] = name
			for i := 2; defs[names[text]] != nil; i++ {
				names[text] = fmt.Sprintf("%s-%d", name, i)
			}
			defs[names[text]] = s // holds the name while its parts move
			defs[names[text]] = parts(s, name, move)
		}
		ref := scenarios.Schema{"$ref": "#/$defs/" + names[text]}
		if about, ok := s["description"]; ok { // for who reads it where it is used
			ref["description"] = about
		}
		return ref
	}
	count(s, "scenario")
	return parts(s, "scenario", move)
}

func textOf(s scenarios.Schema) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a schema is made of maps, lists and texts
	}
	return string(b)
}

// parts gives s with f done to every schema in it. Name is that of the property that
// s is about.
func parts(s scenarios.Schema, name string, f func(s scenarios.Schema, name string) scenarios.Schema) scenarios.Schema {
	out := scenarios.Schema{}
	for _, key := range slices.Sorted(maps.Keys(s)) {
		switch v := s[key].(type) {
		case scenarios.Schema:
			if key != "properties" && key != "patternProperties" {
				out[key] = f(v, name)
				continue
			}
			props := scenarios.Schema{}
			for _, p := range slices.Sorted(maps.Keys(v)) {
				props[p] = f(v[p].(scenarios.Schema), cmp.Or(strings.Trim(p, `^\$`), name))
			}
			out[key] = props
		case []any:
			list := slices.Clone(v)
			for i := range list {
				if x, ok := list[i].(scenarios.Schema); ok {
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

// about describes what no field's comment does.
var about = map[string]string{
	"load":       "the loads by name; they run at the same time",
	"chaos":      "the timeline of faults by name; each has a time and exactly one kind",
	"target":     "what is loaded: a built-in stack, processes or containers that brunt starts, a Compose file, or the URL of a system that runs",
	"executor":   "how arrivals or virtual users are scheduled",
	"name":       "what reports and objectives call the request; METHOD path by default",
	"think":      "a pause instead of a request: 500ms, or a range such as 100ms..400ms",
	"stack":      "a system that is part of brunt",
	"with":       "switches of the built-in system",
	"processes":  "services by name; brunt starts, watches and ends them",
	"containers": "services by name; brunt makes their containers in a Docker engine, and removes them",
	"units":      "containers that run already, beside a url: names that faults call them by, each with what selects them",
	"compose":    "a Compose file; the machine's own command brings it up and takes it down",
}

// relaxed is the schema of a part of a file that extends another one, which may
// have said what is required here already. What stands in lists is whole.
func relaxed(s scenarios.Schema) scenarios.Schema {
	out := scenarios.Schema{}
	for key, v := range s {
		switch v := v.(type) {
		case scenarios.Schema:
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

func relaxedList(out scenarios.Schema, key string, list []any) {
	if key == "required" {
		return
	}
	if key == "type" || key == "enum" || key == "examples" {
		out[key] = list
		return
	}
	var all []any
	for _, x := range list {
		if x := x.(scenarios.Schema); len(x) > 1 || x["required"] == nil {
			all = append(all, relaxed(x))
		}
	}
	if key == "oneOf" { // what told them apart may be left out
		key = "anyOf"
	}
	if len(all) > 0 {
		out[key] = all
	}
}

// namedSchema is that of a map of names to settings, each with exactly one of some keys.
// What was is what the key is described by.
func namedSchema(was any, names scenarios.Schema, settings reflect.Type, doc scenarios.Describer, one ...string) scenarios.Schema {
	s := scenarios.SchemaOf(settings, doc)
	s["description"] = doc(settings, "")
	var keys []any
	for _, key := range one {
		keys = append(keys, scenarios.Schema{"required": []any{key}})
	}
	s["oneOf"] = keys
	return scenarios.Schema{"description": was.(scenarios.Schema)["description"], "type": []any{"object", "null"}, "propertyNames": names, "additionalProperties": s}
}

// loadSchema has one schema for each executor, told apart by its name.
func loadSchema(doc scenarios.Describer) scenarios.Schema {
	common := scenarios.LoadSchema(doc)
	withProofs(common, doc)
	request := scenarios.SchemaOf(targets.RecordedSettingsType(), doc)
	withProofs(request, doc)
	props := common["properties"].(scenarios.Schema)
	props["request"] = scenarios.Schema{"description": common.Property("request")["description"], "allOf": []any{request}}
	var all []any
	for _, name := range slices.Sorted(maps.Keys(load.Kinds())) {
		s := common.With(scenarios.SchemaOf(reflect.TypeOf(load.Kinds()[name]()).Elem(), doc))
		s["description"] = doc(reflect.TypeOf(load.Kinds()[name]()).Elem(), "")
		s["properties"].(scenarios.Schema)["executor"] = scenarios.Schema{"const": name, "description": about["executor"]}
		s["oneOf"] = []any{scenarios.Schema{"required": []any{"flow"}}, scenarios.Schema{"required": []any{"mix"}}, scenarios.Schema{"required": []any{"targets"}}}
		if name == scenarios.Replay {
			s["not"] = scenarios.Schema{"anyOf": s["oneOf"]}
			delete(s, "oneOf")
		}
		all = append(all, s)
	}
	script := scenarios.SchemaOf(reflect.TypeFor[scenarios.Script](), doc)
	script["type"], script["description"] = "object", doc(reflect.TypeFor[scenarios.Script](), "")
	all = append(all, script)
	return scenarios.Schema{"description": about["load"], "type": "object", "minProperties": 1, "propertyNames": scenarios.NameSchema(), "additionalProperties": scenarios.Schema{"oneOf": all}}
}

// faultsSchema is that of the timeline.
func faultsSchema(doc scenarios.Describer) scenarios.Schema {
	return scenarios.Schema{"description": about["chaos"], "type": []any{"object", "null"}, "propertyNames": scenarios.NameSchema(), "additionalProperties": faultSchema(doc)}
}

// faultSchema is that of an entry of the timeline: its time, and exactly one kind.
func faultSchema(doc scenarios.Describer) scenarios.Schema {
	s := scenarios.Timing(doc)
	props := s["properties"].(scenarios.Schema)
	props["detect"] = scenarios.Schema{"description": doc(reflect.TypeFor[scenarios.Fault](), "Detect"), "anyOf": []any{scenarios.SchemaOf(reflect.TypeFor[*chaos.Detect](), doc)}}
	var one []any
	for _, name := range slices.Sorted(maps.Keys(chaos.Kinds())) {
		kind := reflect.TypeOf(chaos.Kinds()[name]()).Elem()
		settings := scenarios.SchemaOf(kind, doc)
		settings["description"] = doc(kind, "")
		props[name] = settings
		one = append(one, scenarios.Schema{"required": []any{name}})
	}
	begins := []any{}
	for _, key := range []string{"at", "after", "during", "trigger"} {
		begins = append(begins, scenarios.Schema{"required": []any{key}})
	}
	s["allOf"] = []any{scenarios.Schema{"oneOf": one}, scenarios.Schema{"oneOf": begins}}
	return s
}

// targetSchema is that of the target: exactly one kind.
func targetSchema(doc scenarios.Describer) scenarios.Schema {
	s := scenarios.SchemaOf(reflect.TypeFor[scenarios.Target](), doc)
	props := s["properties"].(scenarios.Schema)
	var names, with []any
	for _, name := range slices.Sorted(maps.Keys(stack.Kinds())) {
		names = append(names, name)
		with = append(with, scenarios.SchemaOf(reflect.TypeOf(stack.Kinds()[name]()).Elem(), doc))
	}
	s["description"] = about["target"]
	props["stack"] = scenarios.Schema{"description": about["stack"], "allOf": []any{scenarios.Scalar(scenarios.Schema{"enum": names})}}
	props["with"] = scenarios.Schema{"description": about["with"], "anyOf": with}
	props["processes"] = scenarios.Schema{
		"description": about["processes"], "type": "object", "minProperties": 1, "propertyNames": scenarios.NameSchema(),
		"additionalProperties": scenarios.SchemaOf(reflect.TypeFor[stack.Process](), doc),
	}
	props["containers"] = scenarios.Schema{
		"description": about["containers"], "type": "object", "minProperties": 1, "propertyNames": scenarios.NameSchema(),
		"additionalProperties": scenarios.SchemaOf(reflect.TypeFor[stack.Container](), doc),
	}
	props["units"] = scenarios.Schema{
		"description": about["units"], "type": "object", "minProperties": 1, "propertyNames": scenarios.NameSchema(),
		"additionalProperties": scenarios.SchemaOf(reflect.TypeFor[chaos.Chosen](), doc),
	}
	compose := props["compose"].(scenarios.Schema)
	props["compose"] = scenarios.Schema{"description": about["compose"], "anyOf": []any{scenarios.Schema{"type": "string", "minLength": 1}, compose}}
	var one []any
	for _, key := range []string{"url", "stack", "processes", "containers", "compose"} {
		one = append(one, scenarios.Schema{"required": []any{key}})
	}
	s["oneOf"] = one
	return s
}

// withProofs gives an object's schema what auth and sign can be.
func withProofs(s scenarios.Schema, doc scenarios.Describer) {
	for key, t := range map[string]reflect.Type{"auth": reflect.TypeFor[targets.Auth](), "sign": reflect.TypeFor[targets.Sign]()} {
		p := s.Property(key)
		if p == nil {
			continue
		}
		block := scenarios.SchemaOf(t, doc)
		var one []any
		for _, kind := range slices.Sorted(maps.Keys(block["properties"].(scenarios.Schema))) {
			if kind != "header" && kind != "scheme" {
				one = append(one, scenarios.Schema{"required": []any{kind}})
			}
		}
		block["type"], block["oneOf"] = "object", one
		s["properties"].(scenarios.Schema)[key] = scenarios.Schema{
			"description": p["description"], "anyOf": []any{scenarios.Schema{"enum": []any{"off", false, nil}}, block},
		}
	}
}

// stepSchema is a pause, or a request of one protocol.
func stepSchema(doc scenarios.Describer) scenarios.Schema {
	think := scenarios.Schema{"type": "object", "required": []any{"think"}, "additionalProperties": false, "properties": scenarios.Schema{"think": scenarios.Schema{"description": about["think"], "allOf": []any{(*scenarios.Range)(nil).Schema()}}}}
	all := []any{think}
	name := scenarios.Schema{"properties": scenarios.Schema{"name": scenarios.Schema{"description": about["name"], "allOf": []any{scenarios.TextSchema()}}}}
	for _, key := range slices.Sorted(maps.Keys(targets.Kinds())) {
		p := targets.Kinds()[key]()
		s := scenarios.SchemaOf(p.Settings(), doc).With(name)
		withProofs(s, doc)
		if e := s.Property("extract"); e != nil {
			e["propertyNames"] = scenarios.VariableSchema()
		}
		var one []any
		for _, kind := range p.Kinds() {
			one = append(one, scenarios.Schema{"required": []any{kind}})
		}
		s["oneOf"] = one
		all = append(all, s)
	}
	return scenarios.Schema{"oneOf": all}
}

// describer finds the comments of struct fields in the text of the packages that
// declare them.
func describer(sources map[string]embed.FS) scenarios.Describer {
	texts := map[string]string{} // package.Type.Field to its comment; the type's own has no Field
	for pkg, fs := range sources {
		entries, err := fs.ReadDir(".")
		if err != nil {
			continue
		}
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), "_test.go") {
				continue
			}
			b, err := fs.ReadFile(e.Name())
			if err != nil {
				continue
			}
			f, err := parser.ParseFile(token.NewFileSet(), e.Name(), b, parser.ParseComments)
			if err != nil {
				continue
			}
			for _, d := range f.Decls {
				comments(pkg, d, texts)
			}
		}
	}
	return func(t reflect.Type, field string) string { return texts[t.PkgPath()+"."+t.Name()+"."+field] }
}

// comments notes what a declaration says of a struct, and of each field of it.
func comments(pkg string, d ast.Decl, texts map[string]string) {
	g, ok := d.(*ast.GenDecl)
	if !ok || g.Tok != token.TYPE {
		return
	}
	for _, spec := range g.Specs {
		spec := spec.(*ast.TypeSpec)
		st, ok := spec.Type.(*ast.StructType)
		if !ok {
			continue
		}
		name, text := pkg+"."+spec.Name.Name, spec.Doc.Text()
		if len(g.Specs) == 1 {
			text += g.Doc.Text()
		}
		texts[name+"."] = strings.Join(strings.Fields(text), " ")
		fieldComments(name, st, texts)
	}
}

func fieldComments(name string, st *ast.StructType, texts map[string]string) {
	for _, f := range st.Fields.List {
		text := strings.Join(strings.Fields(f.Doc.Text()+" "+f.Comment.Text()), " ")
		for _, id := range f.Names {
			texts[name+"."+id.Name] = text
		}
	}
}

// PolicySchema is the JSON Schema of policy files, made from the type that reads them.
func PolicySchema() scenarios.Schema {
	root := scenarios.PolicySchema(slices.Sorted(maps.Keys(chaos.Kinds())), describer(sources()))
	defs := scenarios.Schema{}
	root = shared(root, defs)
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "brunt policy, version 1"
	if len(defs) > 0 {
		root["$defs"] = defs
	}
	return root
}
