package syntax

import (
	"maps"
	"math"
	"reflect"
)

// A Schema is a JSON Schema (draft 2020-12) as a tree.
type Schema map[string]any

// A Schemer is a [NodeDecoder] with its own schema.
type Schemer interface{ Schema() Schema }

// A DescribedSchemer is a [NodeDecoder] with its own schema, including the comments of its
// settings. The describer may be nil.
type DescribedSchemer interface{ SchemaWith(Describer) Schema }

// A Describer returns the comment of a struct's field.
type Describer func(t reflect.Type, field string) string

// Placeholder matches a text that contains a placeholder. It is allowed wherever a single value is, because a param
// can have any type.
var Placeholder = Schema{"type": "string", "pattern": `\$\{`}

// Scalar is the schema of a single value or a placeholder.
func Scalar(s Schema) Schema { return Schema{"anyOf": []any{s, Placeholder}} }

// TextSchema is the schema of a text; numbers and switches are read as texts too.
func TextSchema() Schema { return Schema{"type": []any{"string", "number", "boolean"}} }

// Pattern is the schema of a text that matches p.
func Pattern(p string, examples ...any) Schema {
	return Scalar(Schema{"type": "string", "pattern": p, "examples": examples})
}

// nothing matches zero with any unit.
var nothing = Schema{"anyOf": []any{Schema{"const": 0}, Schema{"type": "string", "pattern": `^[\s+]*[0.]+[^0-9]*$`}}}

// SchemaOf returns the schema of what [Decode] reads into a value of type t. Doc may be nil.
func SchemaOf(t reflect.Type, doc Describer) Schema {
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
		return StructSchema(t, doc)
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

// listSchema is the schema of a list. A single value that is not a map is short for a list of one.
func listSchema(item reflect.Type, doc Describer) Schema {
	of := SchemaOf(item, doc)
	forms := []any{Schema{"type": "array", "items": of}, Schema{"type": "null"}}
	_, line := reflect.New(item).Interface().(DescribedSchemer) // the item can be written in one line
	if item.Kind() != reflect.Struct || line {
		forms = append(forms, Schema{"allOf": []any{Schema{"type": []any{"string", "number", "boolean"}}, of}})
	}
	return Schema{"anyOf": forms}
}

// StructSchema returns the schema of a map whose keys are the yaml tags of the struct t. Doc returns their
// descriptions.
func StructSchema(t reflect.Type, doc Describer) Schema {
	props := Schema{}
	var required []any
	for _, s := range settingsOf(t) {
		f := t.FieldByIndex(s.index)
		p := s.bounds(SchemaOf(f.Type, doc))
		if doc != nil {
			if d := doc(ownerOf(t, s.index), f.Name); d != "" {
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

// ownerOf returns the struct type that declares the field at index.
func ownerOf(t reflect.Type, index []int) reflect.Type {
	for _, i := range index[:len(index)-1] {
		t = t.Field(i).Type
	}
	return t
}

// bounds adds the bounds of a setting's tag to a schema.
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

// Described returns s with a description.
func (s Schema) Described(text string) Schema {
	return Schema{"allOf": []any{s}, "description": text}
}

// Property returns the schema of a property of an object.
func (s Schema) Property(name string) Schema {
	props, _ := s["properties"].(Schema)
	p, _ := props[name].(Schema)
	return p
}

// With returns a copy of an object's schema with the properties and requirements of others added.
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

// OneOrList returns the schema of a value, or of a list of such values.
func OneOrList(one Schema) Schema {
	return Schema{"anyOf": []any{one, Schema{"type": "array", "items": one}}}
}

// Enum is the schema of one of some texts.
func Enum(names []string) Schema {
	var all []any
	for _, n := range names {
		all = append(all, n)
	}
	return Schema{"enum": all}
}
