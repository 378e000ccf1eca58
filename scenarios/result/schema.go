package result

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

// Schema is the schema of result.json, version 2, made from its Go types. Keys are added,
// never renamed or removed. Readers ignore unknown keys, so the schema allows them.
func Schema(doc syntax.Describer) syntax.Schema {
	p := publisher{doc: doc, defs: syntax.Schema{}}
	root := p.object(reflect.TypeFor[Result]())
	root["properties"].(syntax.Schema)["version"] = syntax.Schema{
		"const": ResultVersion, "description": doc(reflect.TypeFor[Result](), "Version"),
	}
	return p.whole(root, "brunt result.json, version 2")
}

// EventSchema is the schema of a line of events.jsonl.
func EventSchema(doc syntax.Describer) syntax.Schema {
	p := publisher{doc: doc, defs: syntax.Schema{}}
	root := p.object(reflect.TypeFor[Event]())
	var kinds []any
	for _, name := range slices.Sorted(maps.Keys(EventKinds())) {
		kinds = append(kinds, syntax.Schema{"const": name, "description": EventKinds()[name]})
	}
	kinds = append(kinds, syntax.Schema{
		"type": "string", "pattern": `^[a-z]+\.[a-z_]+$`, "description": "one that a later version added",
	})
	event := root.Property("event")
	delete(event, "type")
	event["anyOf"] = kinds
	return p.whole(root, "a line of brunt's events.jsonl, version 1")
}

// publisher makes the schema of the JSON that encoding/json writes for a type.
type publisher struct {
	doc  syntax.Describer
	defs syntax.Schema
}

func (p *publisher) whole(root syntax.Schema, title string) syntax.Schema {
	root["$schema"], root["title"] = "https://json-schema.org/draft/2020-12/schema", title
	if len(p.defs) > 0 {
		root["$defs"] = p.defs
	}
	return root
}

// object returns the schema of a struct. Fields that may be omitted are not required.
func (p *publisher) object(t reflect.Type) syntax.Schema {
	props := syntax.Schema{}
	var required []any
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" || name == "" {
			continue
		}
		s := p.of(f.Type)
		if text := p.doc(t, f.Name); text != "" {
			s["description"] = text
		}
		props[name] = s
		if options != "omitempty" && options != "omitzero" {
			required = append(required, name)
		}
	}
	out := syntax.Schema{"type": "object", "properties": props}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}

func (p *publisher) of(t reflect.Type) syntax.Schema {
	switch t {
	case reflect.TypeFor[Num]():
		return syntax.Schema{"type": []any{"number", "null"}}
	case reflect.TypeFor[slo.Phase]():
		return syntax.Schema{"type": "string"}
	case reflect.TypeFor[time.Time]():
		return syntax.Schema{"type": "string", "format": "date-time"}
	case reflect.TypeFor[scenarios.Verdict]():
		return enumOf(scenarios.Verdicts())
	case reflect.TypeFor[Impact]():
		return syntax.Schema{"enum": []any{
			string(Impacted), string(NotImpacted), string(NotRecovered), string(Confounded),
			string(NotInjected), string(UnknownYet),
		}}
	case reflect.TypeFor[Unrecovered]():
		return enumOf(Unrecovereds())
	case reflect.TypeFor[EscapeOutcome]():
		return enumOf(EscapeOutcomes())
	}
	switch t.Kind() {
	case reflect.Pointer:
		return p.of(t.Elem())
	case reflect.Struct:
		name := strings.ToLower(t.Name()[:1]) + t.Name()[1:]
		if p.defs[name] == nil {
			p.defs[name] = syntax.Schema{} // reserves the name while its fields are visited
			p.defs[name] = p.object(t)
		}
		return syntax.Schema{"$ref": "#/$defs/" + name}
	case reflect.Slice:
		return syntax.Schema{"type": "array", "items": p.of(t.Elem())}
	case reflect.Map:
		return syntax.Schema{"type": "object", "additionalProperties": p.of(t.Elem())}
	case reflect.Bool:
		return syntax.Schema{"type": "boolean"}
	case reflect.Int, reflect.Int64:
		return syntax.Schema{"type": "integer"}
	case reflect.Float64:
		return syntax.Schema{"type": "number"}
	case reflect.Uint64:
		return syntax.Schema{"type": "integer", "minimum": 0}
	case reflect.Interface:
		return syntax.Schema{}
	}
	return syntax.Schema{"type": "string"}
}

// enumOf returns the schema of a value that is one of a list.
func enumOf[T ~string](list []T) syntax.Schema {
	var names []any
	for _, v := range list {
		names = append(names, string(v))
	}
	return syntax.Schema{"enum": names}
}
