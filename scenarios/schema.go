package scenarios

import (
	"embed"
	"maps"
	"math"
	"reflect"
)

// Source is this package's own text: the comments of its settings become the
// descriptions in the JSON Schema.
//
//go:embed *.go
var Source embed.FS

// A Schema is a JSON Schema (draft 2020-12) as a tree.
type Schema map[string]any

// A Schemer is a [NodeDecoder] that tells its own schema.
type Schemer interface{ Schema() Schema }

// A DescribedSchemer is a [NodeDecoder] that tells its own schema, the comments of its
// settings included. The describer may be nil.
type DescribedSchemer interface{ SchemaWith(Describer) Schema }

// A Describer gives the comment of a struct's field.
type Describer func(t reflect.Type, field string) string

// placeholder matches a text that holds a placeholder: it may stand wherever a
// single value does, as its param has the type that is wanted.
var placeholder = Schema{"type": "string", "pattern": `\$\{`}

// Scalar is the schema of a single value that may be given by a placeholder.
func Scalar(s Schema) Schema { return Schema{"anyOf": []any{s, placeholder}} }

// TextSchema is the schema of a text; numbers and switches are read as texts too.
func TextSchema() Schema { return Schema{"type": []any{"string", "number", "boolean"}} }

// pattern is a text of a form.
func pattern(p string, examples ...any) Schema {
	return Scalar(Schema{"type": "string", "pattern": p, "examples": examples})
}

const (
	number   = `\+?([0-9]+(_[0-9]+)*(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?`
	duration = `\s*(0|\+?([0-9]*\.?[0-9]+(ns|us|µs|μs|ms|s|m|h))+)\s*`
)

// nothing matches zero in every unit.
var nothing = Schema{"anyOf": []any{Schema{"const": 0}, Schema{"type": "string", "pattern": `^[\s+]*[0.]+[^0-9]*$`}}}

// Schema implements [Schemer].
func (*Duration) Schema() Schema {
	return Schema{"anyOf": []any{Schema{"const": 0}, Schema{"type": "string", "pattern": "^" + duration + "$", "examples": []any{"250ms", "30s", "5m"}}, placeholder}}
}

// Schema implements [Schemer].
func (*Rate) Schema() Schema { return pattern(`^\s*`+number+`\s*/\s*[smh]\s*$`, "200/s", "6000/m") }

// Schema implements [Schemer].
func (*Share) Schema() Schema {
	return Schema{"anyOf": []any{Schema{"const": 0}, pattern(`^\s*`+number+`\s*%\s*$|^\s*0\s*$`, "1%")}}
}

// Schema implements [Schemer].
func (*Size) Schema() Schema {
	return Schema{"anyOf": []any{Schema{"type": "integer", "minimum": 0}, pattern(`^\s*`+number+`\s*([KMGT]iB|[kKMGT]?B)?\s*$`, "512", "64KiB", "10MB")}}
}

// Schema implements [Schemer].
func (*Bandwidth) Schema() Schema {
	return pattern(`^\s*`+number+`\s*([kMG]?bit|[KMGT]iB|[kKMGT]?B)/s\s*$`, "10Mbit/s", "64KiB/s")
}

// Schema implements [Schemer].
func (*Range) Schema() Schema {
	return Schema{"anyOf": []any{Schema{"const": 0}, pattern("^"+duration+`(\.\.`+duration+")?$", "100ms..400ms", "1s")}}
}

// Schema implements [Schemer].
func (*TextTemplate) Schema() Schema { return TextSchema() }

// Schema implements [Schemer].
func (*HeaderTemplate) Schema() Schema { return TextSchema() }

// Schema implements [Schemer].
func (*FormTemplate) Schema() Schema { return TextSchema() }

// Schema implements [Schemer].
func (*URLTemplate) Schema() Schema {
	return Schema{"type": "string", "minLength": 1, "examples": []any{"/posts?page=${int(1,50)}", "http://127.0.0.1:8080"}}
}

// Schema implements [Schemer]: any JSON value.
func (*JSONTemplate) Schema() Schema { return Schema{} }

// Schema implements [Schemer]: whoever holds an undecoded node says what it is.
func (*Node) Schema() Schema { return Schema{} }

// Schema implements [Schemer].
func (*rawNode) Schema() Schema { return Schema{} }

// Schema implements [Schemer].
func (*intRange) Schema() Schema {
	const whole = `\s*[-+]?[0-9][0-9_]*\s*`
	return pattern("^"+whole+`\.\.`+whole+"$", "1..500")
}

// objectiveSchema is that of an objective, in its short and in its long form.
func objectiveSchema(doc Describer) Schema {
	long := structSchema(reflect.TypeFor[longObjective](), doc)
	var bounds []any
	for _, b := range boundKeys {
		bounds = append(bounds, Schema{"required": []any{b.key}})
	}
	long["oneOf"] = bounds
	long["not"] = Schema{"required": []any{"step", "load"}}
	return Schema{"anyOf": []any{Schema{"type": "string", "pattern": `[<>=]|\$\{`, "examples": []any{"p95 < 200ms in baseline", "errors < 1%"}}, long}}
}

// Schema implements [Schemer]: which keys a request has is its protocol's to say.
func (*Step) Schema() Schema { return Schema{"$ref": "#/$defs/step"} }

// SchemaOf gives the schema of what [Decode] reads into a value of type t. Doc may
// be nil.
func SchemaOf(t reflect.Type, doc Describer) Schema {
	if t == reflect.TypeFor[Objective]() {
		return objectiveSchema(doc)
	}
	if s, ok := reflect.New(t).Interface().(Schemer); ok {
		return s.Schema()
	}
	if s, ok := reflect.New(t).Interface().(DescribedSchemer); ok {
		return s.SchemaWith(doc)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return Schema{"anyOf": []any{SchemaOf(t.Elem(), doc), Schema{"type": "null"}}}
	case reflect.Struct:
		return structSchema(t, doc)
	case reflect.Slice:
		return listSchema(t.Elem(), doc)
	case reflect.Map:
		return Schema{"type": []any{"object", "null"}, "additionalProperties": SchemaOf(t.Elem(), doc)}
	case reflect.Bool:
		return Scalar(Schema{"enum": []any{true, false, "on", "off", "true", "false"}})
	case reflect.Uint64:
		return Scalar(Schema{"type": "integer", "minimum": 0})
	case reflect.Int, reflect.Int64, reflect.Int32:
		return Scalar(Schema{"type": "integer"})
	case reflect.Float64:
		return Scalar(Schema{"type": "number"})
	}
	return TextSchema()
}

// listSchema is that of a list; a single value that is no map stands for a list of
// one.
func listSchema(item reflect.Type, doc Describer) Schema {
	of := SchemaOf(item, doc)
	forms := []any{Schema{"type": "array", "items": of}, Schema{"type": "null"}}
	if item.Kind() != reflect.Struct || item == reflect.TypeFor[Objective]() {
		forms = append(forms, Schema{"allOf": []any{Schema{"type": []any{"string", "number", "boolean"}}, of}})
	}
	return Schema{"anyOf": forms}
}

func structSchema(t reflect.Type, doc Describer) Schema {
	props := Schema{}
	var required []any
	for _, s := range settingsOf(t) {
		f := t.FieldByIndex(s.index)
		p := s.bounds(SchemaOf(f.Type, doc))
		if doc != nil {
			if d := doc(holder(t, s.index), f.Name); d != "" {
				p = Schema{"allOf": []any{p}, "description": d}
			}
		}
		props[s.name] = p
		if s.required {
			required = append(required, s.name)
		}
	}
	out := Schema{"type": []any{"object", "null"}, "properties": props, "additionalProperties": false}
	if len(required) > 0 {
		out["type"], out["required"] = "object", required
	}
	return out
}

// holder is the struct type in which the field at index is declared.
func holder(t reflect.Type, index []int) reflect.Type {
	for _, i := range index[:len(index)-1] {
		t = t.Field(i).Type
	}
	return t
}

// bounds narrows a schema by a setting's tag.
func (s setting) bounds(p Schema) Schema {
	if len(s.oneof) > 0 {
		var names []any
		for _, v := range s.oneof {
			names = append(names, v)
			if v == "on" || v == "off" {
				names = append(names, v == "on")
			}
		}
		return Scalar(Schema{"enum": names})
	}
	forms, ok := p["anyOf"].([]any)
	if !ok {
		return p
	}
	first, ok := forms[0].(Schema)
	switch {
	case !ok:
	case first["type"] == "array" && s.required:
		p["type"], p["minItems"] = "array", 1
	case first["type"] == "integer" || first["type"] == "number":
		if !math.IsInf(s.min, 0) {
			first["minimum"] = s.min
		}
		if !math.IsInf(s.max, 0) {
			first["maximum"] = s.max
		}
		if s.positive {
			first["exclusiveMinimum"] = 0
		}
	case s.positive:
		return Schema{"allOf": []any{p}, "not": nothing}
	}
	return p
}

// DocumentSchema is the schema of the top level of a file, its parts left to those
// who know them: load, chaos, and of the target with, processes, containers and units.
func DocumentSchema(doc Describer) Schema {
	s := SchemaOf(reflect.TypeFor[document](), doc)
	names := func(key string, item Schema) {
		p := s.Property(key)
		p["allOf"] = []any{Schema{"type": []any{"object", "null"}, "propertyNames": NameSchema(), "additionalProperties": item}}
	}
	names("params", Schema{})
	table := SchemaOf(reflect.TypeFor[tableSource](), doc)
	var sources []any
	for _, key := range tableKeys {
		sources = append(sources, Schema{"required": []any{key}})
	}
	table["oneOf"] = sources
	table["dependentRequired"] = Schema{"columns": []any{"csv"}, "separator": []any{"csv"}}
	names("data", table)
	// What the file that it extends says it need not say again.
	s["anyOf"] = []any{Schema{"required": []any{"extends"}}, Schema{"required": s["required"]}}
	delete(s, "required")
	return s
}

// Timing is the schema of what an entry of the timeline says besides its kind.
func Timing(doc Describer) Schema { return SchemaOf(reflect.TypeFor[Fault](), doc) }

// LoadSchema is the schema of what a load says besides its executor's settings.
func LoadSchema(doc Describer) Schema {
	s := SchemaOf(reflect.TypeFor[Load](), doc)
	for _, key := range []string{"flow", "mix"} { // either is left out, and neither empty
		p := s.Property(key)
		p["type"], p["minItems"] = "array", 1
	}
	return s
}

// Described gives what s is, with a sentence for whoever reads it.
func (s Schema) Described(text string) Schema {
	return Schema{"allOf": []any{s}, "description": text}
}

// Property gives the schema of a key of an object's.
func (s Schema) Property(name string) Schema {
	props, _ := s["properties"].(Schema)
	p, _ := props[name].(Schema)
	return p
}

// With gives a copy of an object's schema with the properties and requirements of
// others added.
func (s Schema) With(others ...Schema) Schema {
	props := Schema{}
	var required []any
	for _, o := range append([]Schema{s}, others...) {
		p, _ := o["properties"].(Schema)
		maps.Copy(props, p)
		r, _ := o["required"].([]any)
		required = append(required, r...)
	}
	out := Schema{"type": "object", "properties": props, "additionalProperties": false}
	if len(required) > 0 {
		out["required"] = required
	}
	return out
}
