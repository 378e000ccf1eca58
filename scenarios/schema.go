package scenarios

import (
	"reflect"

	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// DocumentSchema is the schema of the top level of a file, without the parts that other packages define: load, chaos,
// and the target's with, processes, containers and units.
func DocumentSchema(doc syntax.Describer) syntax.Schema {
	s := syntax.SchemaOf(reflect.TypeFor[document](), doc)
	names := func(key string, item syntax.Schema) {
		p := s.Property(key)
		p["allOf"] = []any{
			syntax.Schema{"type": []any{"object", "null"}, "propertyNames": syntax.NameSchema(), "additionalProperties": item},
		}
	}
	s.Property("version")["allOf"] = []any{syntax.Scalar(syntax.Schema{"enum": []any{1, "1"}})}
	names("params", syntax.Schema{})
	names("data", template.TableSchema(doc))
	// A key that the extended file has is not required here.
	s["anyOf"] = []any{syntax.Schema{"required": []any{"extends"}}, syntax.Schema{"required": s["required"]}}
	delete(s, "required")
	return s
}

// Timing returns the schema of a timeline entry without its kind.
func Timing(doc syntax.Describer) syntax.Schema {
	return syntax.SchemaOf(reflect.TypeFor[Fault](), doc)
}

// LoadSchema returns the schema of a load without its executor's settings.
func LoadSchema(doc syntax.Describer) syntax.Schema {
	s := syntax.SchemaOf(reflect.TypeFor[Load](), doc)
	for _, key := range []string{"flow", "mix"} { // optional, but not empty
		p := s.Property(key)
		p["type"], p["minItems"] = "array", 1
	}
	return s
}
